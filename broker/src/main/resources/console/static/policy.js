// The policy of a topic or channel: what is in force, where it comes from, and a form to set it by hand.

import { post } from './broker.js';
import { el, labelled, section, select } from './dom.js';
import { Table } from './table.js';

const ORIGINS = { hand: 'set by hand', config: 'configuration', default: 'default' };

/** A value for JSON: a number or true and false only where the field has such a value. */
function literal(text, present) {
  const isLiteral = typeof present === 'number' ? /^-?(0|[1-9]\d*)(\.\d+)?$/.test(text)
    : typeof present === 'boolean' && /^(true|false)$/.test(text);
  return isLiteral ? text : JSON.stringify(text);
}

/**
 * The section of a page.
 *
 * kind is `topic` or `channel`, names the parameters, changed is called when something was set. What GET /topic/policy or
 * /channel/policy says is given to show().
 */
export function policySection(kind, names, changed) {
  let policy = {};
  const field = select([], { name: 'field' });
  const value = el('input', { name: 'value', autocomplete: 'off', spellcheck: 'false', autocapitalize: 'off' });
  const table = new Table({
    label: 'Policy',
    columns: [
      { label: 'Field', value: row => row.name, width: 'short' },
      { label: 'Value', value: row => String(row.value) },
      { label: 'From', value: row => ORIGINS[row.from] ?? row.from },
    ],
    key: row => row.name,
    filter: false,
  });
  const send = async (json, done) => {
    if (await post(`/${kind}/policy`, names, `{${JSON.stringify(field.value)}:${json}}`, done)) {
      value.value = '';
      changed();
    }
  };
  const unset = el('button', { type: 'button', on: { click: () => send('null', `${field.value} is not set by hand any more.`) } },
    'Unset');
  const form = el('form', { class: 'row', on: { submit: event => {
    event.preventDefault();
    send(literal(value.value.trim(), policy[field.value]?.value), `${field.value} is set.`);
  } } }, labelled('Field', field), labelled('Value', value), el('button', { class: 'primary' }, 'Set'), unset);
  return {
    element: section('Policy', table.element, form),
    show(shown) {
      policy = shown.policy;
      const rows = Object.entries(policy).map(([name, of]) => ({ name, ...of }));
      if (field.options.length === 0) {
        field.append(...rows.map(({ name }) => el('option', { value: name }, name)));
      }
      table.update(rows);
    },
  };
}
