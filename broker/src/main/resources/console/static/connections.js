// Who is connected over TCP.

import { channelPage, get, poll, topicPage } from './broker.js';
import { el, page, say, section } from './dom.js';
import { many, moment } from './figures.js';
import { number, Table } from './table.js';

const EVERY_MS = 3000;
const summary = el('p', { class: 'hint' });
let refresh = () => {};

const WHO = [
  { label: 'Address', field: 'remote_address', value: row => row.remote_address, width: 'short' },
  { label: 'Id', field: 'client_id', value: row => row.client_id },
  { label: 'Host', field: 'hostname', value: row => row.hostname },
  { label: 'Agent', field: 'user_agent', value: row => row.user_agent },
];
const SINCE = [
  { label: 'Connection', field: 'security', value: row => row.security },
  number('Connected', 'connect_ts', seconds => moment(seconds * 1000)),
];

const consumers = new Table({
  label: 'Consumers',
  columns: [
    ...WHO,
    { label: 'Topic', field: 'topic', value: row => row.topic, href: row => topicPage(row.topic) },
    { label: 'Channel', field: 'channel', value: row => row.channel, href: row => channelPage(row.topic, row.channel) },
    number('RDY', 'ready_count'),
    number('In flight', 'in_flight_count'),
    number('Finished', 'finish_count'),
    ...SINCE,
  ],
  key: row => `${row.remote_address} ${row.topic} ${row.channel}`,
  empty: 'No consumers are connected.',
  ask: () => refresh(),
});

const producers = new Table({
  label: 'Producers',
  columns: [
    ...WHO,
    { label: 'Topic', field: 'topic', value: row => row.topic },
    number('Published to it', 'published'),
    ...SINCE,
  ],
  key: row => row.remote_address,
  empty: 'No producers are connected. Those of HTTP are not counted here.',
  ask: () => refresh(),
});

function show([consuming, producing]) {
  consumers.show(consuming);
  producers.show(producing);
  say(summary, `${many(consuming.total, 'consumer')}, ${many(producing.total, 'producer')}`);
}

export function start() {
  page(el('h1', {}, 'Connections'), summary, section('Consumers', consumers.element), section('Producers', producers.element));
  refresh = poll(async () => [
    await get('/list', { of: 'consumers', ...consumers.query() }),
    await get('/list', { of: 'producers', ...producers.query() }),
  ], show, EVERY_MS);
}
