// All topics.

import { createTopic } from './actions.js';
import { get, poll, topicPage } from './broker.js';
import { el, page, say } from './dom.js';
import { bytes, many, rate } from './figures.js';
import { number, Table } from './table.js';

let refresh = () => {};
const summary = el('p', { class: 'hint' });

const table = new Table({
  label: 'Topics',
  columns: [
    { label: 'Topic', field: 'topic_name', value: row => row.topic_name, href: row => topicPage(row.topic_name) },
    number('Depth', 'depth'),
    number('In channels', 'waiting'),
    number('In flight', 'in_flight_count'),
    number('Deferred', 'deferred_count'),
    number('Channels', 'channel_count'),
    number('Consumers', 'client_count'),
    number('Messages', 'message_count'),
    number('Bytes', 'message_bytes', bytes),
    number('Rate', 'rate', rate),
    { label: 'State', field: 'paused', value: row => (row.paused ? 'paused' : ''), isBadge: true },
  ],
  key: row => row.topic_name,
  empty: 'There are no topics yet. The first message published to one creates it.',
  ask: () => refresh(),
});

function show(answer) {
  table.show(answer);
  say(summary, many(answer.total, 'topic'));
}

export function start() {
  const create = el('button', { type: 'button', class: 'primary', on: { click: async () => {
    if (await createTopic() !== null) {
      refresh();
    }
  } } }, 'Create a topic…');
  page(el('h1', {}, 'Topics'), el('p', { class: 'buttons' }, create), summary, table.element);
  refresh = poll(() => get('/list', { of: 'topics', ...table.query() }), show);
}
