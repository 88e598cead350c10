// Every option: what is in force, and why.

import { get, poll } from './broker.js';
import { el, page } from './dom.js';
import { Table } from './table.js';

const EVERY_MS = 5000;

const table = new Table({
  label: 'Options',
  columns: [
    { label: 'Option', value: row => row.key, width: 'short' },
    { label: 'Value', value: row => row.value },
    { label: 'Default', value: row => row.default },
    { label: 'From', value: row => row.from },
    { label: 'Group', value: row => row.group },
    { label: 'Meaning', value: row => (row.no_effect ? `${row.meaning}. Without effect: ${row.no_effect}` : row.meaning), width: 'long' },
  ],
  key: row => row.key,
});

export function start() {
  page(el('h1', {}, 'Configuration'),
    el('p', { class: 'hint' }, 'As the configuration file has them; a flag beats the file, the file beats the default. What is set at run time beats both'
      + ' until the next start.'),
    table.element);
  poll(() => get('/configuration'), options => table.update(options), EVERY_MS);
}
