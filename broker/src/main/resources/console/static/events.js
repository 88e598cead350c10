// What people did and what the broker noticed.

import { get, poll } from './broker.js';
import { el, labelled, page, select } from './dom.js';
import { moment } from './figures.js';
import { Table } from './table.js';

const EVERY_MS = 3000;

/** What the other columns do not say. */
function more(row) {
  return row.kind === 'broker' ? row.message
    : [...row.message.matchAll(/ (?:key|value|reason)=(?:"(?:[^"\\]|\\.)*"|\S*)/g)].map(([part]) => part.trim()).join(' ');
}

const table = new Table({
  label: 'Events',
  columns: [
    { label: 'Time', value: row => row.time, text: row => moment(Date.parse(row.time)), width: 'short' },
    { label: 'By', value: row => (row.kind === 'broker' ? 'the broker' : row.user || 'the broker') },
    { label: 'From', value: row => row.remote_address, width: 'short' },
    { label: 'What', value: row => row.action },
    { label: 'Topic', value: row => row.topic },
    { label: 'Channel', value: row => row.channel },
    { label: 'Result', value: row => row.result },
    { label: 'More', value: more, width: 'long' },
  ],
  key: row => row.key,
  isDown: true,
  empty: 'Nothing happened since the broker started.',
});

export function start() {
  const kind = select([['', 'All'], ['audit', 'What people did'], ['broker', 'What the broker noticed']]);
  const number = select([['100', '100'], ['1000', '1000']]);
  page(el('h1', {}, 'Events'),
    el('div', { class: 'row' }, labelled('Show', kind), labelled('The latest', number)), table.element);
  const refresh = poll(() => get('/events', { n: number.value }), ({ events }) => {
    const seen = new Map();
    const rows = events.map(event => {
      const text = JSON.stringify(event);
      seen.set(text, (seen.get(text) ?? 0) + 1);
      return { ...event, key: `${seen.get(text)} ${text}` };
    });
    table.update(rows.filter(event => !kind.value || event.kind === kind.value));
  }, EVERY_MS);
  kind.addEventListener('change', refresh);
  number.addEventListener('change', refresh);
}
