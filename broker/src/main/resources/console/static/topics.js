// All topics.

import { createTopic } from './actions.js';
import { get, poll, topicPage } from './broker.js';
import { el, page, say } from './dom.js';
import { bytes, count, many, rate, Rates } from './figures.js';
import { Table } from './table.js';

const rates = new Rates();
const summary = el('p', { class: 'hint' });

const table = new Table({
  label: 'Topics',
  columns: [
    { label: 'Topic', value: row => row.name, href: row => topicPage(row.name) },
    { label: 'Depth', value: row => row.depth, text: row => count(row.depth), isNumber: true },
    { label: 'In channels', value: row => row.waiting, text: row => count(row.waiting), isNumber: true },
    { label: 'In flight', value: row => row.inFlight, text: row => count(row.inFlight), isNumber: true },
    { label: 'Deferred', value: row => row.deferred, text: row => count(row.deferred), isNumber: true },
    { label: 'Channels', value: row => row.channels, text: row => count(row.channels), isNumber: true },
    { label: 'Consumers', value: row => row.clients, text: row => count(row.clients), isNumber: true },
    { label: 'Messages', value: row => row.messages, text: row => count(row.messages), isNumber: true },
    { label: 'Bytes', value: row => row.bytes, text: row => bytes(row.bytes), isNumber: true },
    { label: 'Rate', value: row => row.rate, text: row => rate(row.rate), isNumber: true },
    { label: 'State', value: row => (row.paused ? 'paused' : ''), isBadge: true },
  ],
  key: row => row.name,
  empty: 'There are no topics yet. The first message published to one creates it.',
});

function sum(channels, field) {
  return channels.reduce((total, channel) => total + channel[field], 0);
}

function show({ topics }) {
  const rows = topics.map(topic => ({
    name: topic.topic_name,
    depth: topic.depth,
    waiting: sum(topic.channels, 'depth'),
    inFlight: sum(topic.channels, 'in_flight_count'),
    deferred: sum(topic.channels, 'deferred_count'),
    channels: topic.channels.length,
    clients: sum(topic.channels, 'client_count'),
    messages: topic.message_count,
    bytes: topic.message_bytes,
    rate: rates.of(topic.topic_name, topic.message_count),
    paused: topic.paused,
  }));
  rates.sweep();
  table.update(rows);
  say(summary, many(rows.length, 'topic'));
}

export function start() {
  const create = el('button', { type: 'button', class: 'primary', on: { click: async () => {
    if (await createTopic() !== null) {
      refresh();
    }
  } } }, 'Create a topic…');
  page(el('h1', {}, 'Topics'), el('p', { class: 'buttons' }, create), summary, table.element);
  const refresh = poll(() => get('/stats', { format: 'json', include_clients: 'false', include_mem: 'false' }), show);
}
