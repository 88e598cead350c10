// Who is connected over TCP.

import { channelPage, get, poll, topicPage } from './broker.js';
import { el, page, say, section } from './dom.js';
import { count, many, moment } from './figures.js';
import { Table } from './table.js';

const EVERY_MS = 3000;
const summary = el('p', { class: 'hint' });

function security(row) {
  return [row.tls ? row.tls_version : '', row.snappy ? 'snappy' : '', row.deflate ? 'deflate' : '', row.auth_identity ?? '']
    .filter(text => text).join(', ');
}

const WHO = [
  { label: 'Address', value: row => row.remote_address, width: 'short' },
  { label: 'Id', value: row => row.client_id },
  { label: 'Host', value: row => row.hostname },
  { label: 'Agent', value: row => row.user_agent },
];
const SINCE = [
  { label: 'Connection', value: security },
  { label: 'Connected', value: row => row.connect_ts, text: row => moment(row.connect_ts * 1000), isNumber: true },
];

const consumers = new Table({
  label: 'Consumers',
  columns: [
    ...WHO,
    { label: 'Topic', value: row => row.topic, href: row => topicPage(row.topic) },
    { label: 'Channel', value: row => row.channel, href: row => channelPage(row.topic, row.channel) },
    { label: 'RDY', value: row => row.ready_count, text: row => count(row.ready_count), isNumber: true },
    { label: 'In flight', value: row => row.in_flight_count, text: row => count(row.in_flight_count), isNumber: true },
    { label: 'Finished', value: row => row.finish_count, text: row => count(row.finish_count), isNumber: true },
    ...SINCE,
  ],
  key: row => `${row.remote_address} ${row.topic} ${row.channel}`,
  empty: 'No consumers are connected.',
});

const producers = new Table({
  label: 'Producers',
  columns: [
    ...WHO,
    { label: 'Topic', value: row => row.topic },
    { label: 'Published to it', value: row => row.published, text: row => count(row.published), isNumber: true },
    ...SINCE,
  ],
  key: row => row.remote_address,
  empty: 'No producers are connected. Those of HTTP are not counted here.',
});

function show({ topics, producers: publishing }) {
  const consuming = topics.flatMap(topic => topic.channels.flatMap(channel => (channel.clients ?? []).map(
    client => ({ ...client, topic: topic.topic_name, channel: channel.channel_name }))));
  consumers.update(consuming);
  const producing = (publishing ?? []).map(client => ({
    ...client, topic: client.pub_counts?.[0]?.topic ?? '', published: client.pub_counts?.[0]?.count ?? 0,
  }));
  producers.update(producing);
  say(summary, `${many(consuming.length, 'consumer')}, ${many(producing.length, 'producer')}`);
}

export function start() {
  page(el('h1', {}, 'Connections'), summary, section('Consumers', consumers.element), section('Producers', producers.element));
  poll(() => get('/stats', { format: 'json', include_mem: 'false' }), show, EVERY_MS);
}
