// Looks at messages; looking changes nothing.

import { get, Refused } from './broker.js';
import { el, labelled, notice, select } from './dom.js';
import { bytes, count } from './figures.js';

const ROW_BYTES = 16;
const MAX_CHILDREN = 200;
const MAX_OPEN_DEPTH = 2;
const VIEWS = [['text', 'Text'], ['json', 'JSON'], ['hex', 'Hex']];

/**
 * A form that fetches messages and shows them.
 *
 * path is /topic/peek or /channel/peek, names its parameters; choice is a control of its own, named as its parameter.
 */
export function viewer(path, names, choice) {
  const number = el('input', { type: 'number', min: '1', max: '1000', value: '10', required: true });
  const list = el('div', { class: 'messages' });
  const more = el('button', { type: 'button', hidden: true }, 'Next messages');
  let next = null;
  const look = async from => {
    try {
      const parameters = { ...names, n: number.value, [choice.control.name]: from ?? choice.control.value.trim() };
      const found = await get(path, parameters);
      next = found.next ?? null;
      more.hidden = next === null;
      list.replaceChildren(...(found.messages.length === 0
        ? [el('p', { class: 'empty' }, 'No messages.')] : found.messages.map(message)));
    } catch (error) {
      notice(error instanceof Refused ? error.message : 'The broker does not answer.', true);
    }
  };
  more.addEventListener('click', () => look(next));
  const form = el('form', { class: 'row', on: { submit: event => {
    event.preventDefault();
    look(null);
  } } }, labelled(choice.label, choice.control), labelled('How many', number), el('button', { class: 'primary' }, 'Look'));
  return [form, list, more];
}

function message(m) {
  const body = el('div', { class: 'body' });
  const kinds = select(VIEWS, { 'aria-label': 'Show as' });
  const data = m.body_base64 === undefined ? new TextEncoder().encode(m.body) : bytesOf(m.body_base64);
  const show = () => body.replaceChildren(view(kinds.value, m, data));
  kinds.addEventListener('change', show);
  kinds.value = m.body_base64 !== undefined ? 'hex' : looksLikeJson(m) ? 'json' : 'text';
  const facts = [
    el('code', {}, m.id),
    el('span', {}, m.time),
    m.attempts === undefined ? null : el('span', {}, `attempts ${count(m.attempts)}`),
    m.due === undefined ? null : el('span', {}, `due ${m.due}`),
    m.died === undefined ? null : el('span', {}, `dead since ${m.died} (${m.reason})`),
    el('span', {}, m.truncated ? `${bytes(m.size)}, beginning only` : bytes(m.size)),
  ];
  const preview = el('span', { class: 'preview' }, m.body === undefined ? 'binary' : m.body.slice(0, 120));
  const details = el('details', { class: 'message' }, el('summary', {}, ...facts.filter(f => f), preview));
  details.addEventListener('toggle', () => {
    if (details.open && details.children.length === 1) {
      details.append(el('p', {}, kinds), body);
      show();
    }
  });
  return details;
}

function looksLikeJson(m) {
  return /^\s*[[{]/.test(m.body) && !m.truncated;
}

function bytesOf(base64) {
  return Uint8Array.from(atob(base64), c => c.charCodeAt(0));
}

function view(kind, m, data) {
  if (kind === 'hex') {
    return el('pre', { tabindex: '0' }, hex(data));
  }
  const text = m.body ?? new TextDecoder().decode(data);
  if (kind === 'text') {
    return el('pre', { tabindex: '0' }, text);
  }
  try {
    return el('div', { class: 'json' }, tree(JSON.parse(text, exactly), null, 0));
  } catch (error) {
    return el('p', { class: 'empty' }, m.truncated ? 'Only the beginning is here: no whole JSON.' : `No JSON: ${error.message}`);
  }
}

/** A number as it was written: not every one of them is a number of JavaScript. */
class Written {
  constructor(source) {
    this.source = source;
  }
}

function exactly(key, value, context) {
  return typeof value === 'number' && context?.source ? new Written(context.source) : value;
}

function tree(value, key, depth) {
  const name = key === null ? null : el('span', { class: 'key' }, `${key}: `);
  if (value instanceof Written) {
    return el('div', {}, name, el('span', { class: 'value number' }, value.source));
  }
  if (value === null || typeof value !== 'object') {
    return el('div', {}, name, el('span', { class: `value ${typeof value}` }, JSON.stringify(value)));
  }
  const entries = Object.entries(value);
  const brackets = Array.isArray(value) ? `[${entries.length}]` : `{${entries.length}}`;
  const details = el('details', { open: depth < MAX_OPEN_DEPTH }, el('summary', {}, name, brackets));
  const unfold = () => {
    if (details.open && details.children.length === 1) {
      append(details, entries, 0, depth);
    }
  };
  details.addEventListener('toggle', unfold);
  unfold();
  return details;
}

function append(details, entries, from, depth) {
  details.append(...entries.slice(from, from + MAX_CHILDREN).map(([key, child]) => tree(child, key, depth + 1)));
  const rest = entries.length - from - MAX_CHILDREN;
  if (rest > 0) {
    const button = el('button', { type: 'button', on: { click: () => {
      button.remove();
      append(details, entries, from + MAX_CHILDREN, depth);
    } } }, `${rest} more`);
    details.append(button);
  }
}

function hex(data) {
  const lines = [];
  for (let at = 0; at < data.length; at += ROW_BYTES) {
    const row = [...data.subarray(at, at + ROW_BYTES)];
    const codes = row.map(b => b.toString(16).padStart(2, '0')).join(' ').padEnd(ROW_BYTES * 3 - 1);
    const text = row.map(b => (b >= 32 && b < 127 ? String.fromCharCode(b) : '.')).join('');
    lines.push(`${at.toString(16).padStart(8, '0')}  ${codes}  ${text}`);
  }
  return lines.join('\n') || '(empty)';
}
