// The broker as a whole.

import { channelPage, get, health, poll, topicPage } from './broker.js';
import { Chart, showRows } from './charts.js';
import { el, page, say, section, tiles } from './dom.js';
import { amount, bytes, count, rate, seconds, short, span } from './figures.js';
import { Table } from './table.js';

const ROWS_EVERY_MS = 5000;

const figures = tiles([
  ['Depth', 'depth', 'Messages that wait in topics and channels'],
  ['In flight', 'in-flight', 'Delivered and not answered yet'],
  ['Deferred', 'deferred', 'Wait for a time'],
  ['Published', 'published', 'Messages a second, over the last five seconds'],
  ['Finished', 'finished', 'Messages a second, over all channels'],
  ['Publish to OK, 99 %', 'latency', 'The slowest hundredth takes longer than this'],
  ['Topics', 'topics'],
  ['Channels', 'channels'],
  ['Connections', 'connections', 'Of TCP clients'],
  ['Disk free', 'disk-free'],
  ['Journals', 'journals', 'Disk that messages take'],
  ['Ledgers', 'ledgers', 'Disk that channels take to know what is finished'],
]);

const charts = [
  [new Chart('Messages a second', ['published', 'finished', 'requeued', 'timed out'], n => rate(n)),
    ['published', 'finished', 'requeued', 'timed_out']],
  [new Chart('Messages', ['depth', 'in flight', 'deferred'], n => short(n)), ['depth', 'in_flight', 'deferred']],
  [new Chart('Latency', ['publish to OK, half', 'publish to OK, 99 %', 'one sync, 99 %'], n => seconds(n)),
    ['publish_p50_seconds', 'publish_p99_seconds', 'sync_p99_seconds']],
  [new Chart('Bytes published a second', ['bytes'], n => `${bytes(n)}/s`, { isBytes: true }), ['published_bytes']],
  [new Chart('Memory budget in use', ['bytes'], n => bytes(n), { isBytes: true }), ['memory_used_bytes']],
  [new Chart('Disk free', ['bytes'], n => bytes(n), { isBytes: true }), ['disk_free_bytes']],
];

const state = el('p', { class: 'health' }, 'Asking…');
const checks = el('ul', { class: 'checks' });
const running = el('p', { class: 'hint' });

const deepest = new Table({
  label: 'Deepest topics and channels',
  columns: [
    { label: 'Topic', value: row => row.topic, href: row => topicPage(row.topic) },
    { label: 'Channel', value: row => row.channel ?? '', href: row => (row.channel ? channelPage(row.topic, row.channel) : topicPage(row.topic)) },
    { label: 'Depth', value: row => row.depth, text: row => count(row.depth), isNumber: true },
  ],
  key: row => JSON.stringify([row.topic, row.channel]),
  sortBy: 2,
  isDown: true,
  filter: false,
  empty: 'Nothing waits.',
});

const memory = new Table({
  label: 'Memory budget by part',
  columns: [
    { label: 'Part', value: row => row.part },
    { label: 'Used', value: row => row.used_bytes, text: row => bytes(row.used_bytes), isNumber: true },
    { label: 'Limit', value: row => row.limit_bytes, text: row => bytes(row.limit_bytes), isNumber: true },
    { label: '%', value: row => row.percent, text: row => `${row.percent} %`, isNumber: true },
  ],
  key: row => row.part,
  filter: false,
});

function showFigures({ now, rows }) {
  const last = rows.time_ms.length - 1;
  const at = column => (last < 0 ? null : rows[column][last]);
  figures.show({
    depth: amount(now.depth),
    'in-flight': amount(now.in_flight),
    deferred: amount(now.deferred),
    published: rate(at('published')),
    finished: rate(at('finished')),
    latency: seconds(at('publish_p99_seconds')),
    topics: count(now.topics),
    channels: count(now.channels),
    connections: count(now.connections.tcp),
    'disk-free': bytes(now.disk_free_bytes),
    journals: bytes(now.journal_bytes),
    ledgers: bytes(now.ledger_bytes),
  });
  deepest.update(now.deepest);
  memory.update(Object.entries(now.memory.parts).map(([part, { used_bytes, limit_bytes }]) => ({
    part, used_bytes, limit_bytes, percent: limit_bytes === 0 ? 0 : Math.round(100 * used_bytes / limit_bytes),
  })));
}

function showHealth([known, info]) {
  const isOk = known.status === 'ok';
  const warns = known.checks.some(check => check.status === 'warning');
  say(state, !isOk ? 'The broker is not well' : warns ? 'The broker works, with warnings' : 'The broker is well');
  state.className = `health ${!isOk ? 'failed' : warns ? 'warning' : 'ok'}`;
  checks.replaceChildren(...known.checks.map(check => el('li', { class: check.status },
    `${check.name}: ${check.status}${check.reason ? `, ${check.reason}` : ''}`)));
  say(running, `Holdfast ${info.holdfast_version} on ${info.hostname}, up ${span(Date.now() / 1000 - info.start_time)}, `
    + `TCP port ${info.tcp_port}, HTTP port ${info.http_port}`);
}

/** What /ping knows, where there is nothing better. */
async function readHealth() {
  const info = await get('/info');
  const known = await health();
  if (known) {
    return [known, info];
  }
  const { health: text } = await get('/stats', { format: 'json', topic: '-', include_clients: 'false', include_mem: 'false' });
  const isOk = text === 'OK';
  return [{ status: isOk ? 'ok' : 'failed', checks: isOk ? [] : [{ name: 'ping', status: 'failed', reason: text }] }, info];
}

export function start() {
  page(el('h1', {}, 'Overview'), state, checks, running, figures.element,
    el('div', { class: 'charts' }, ...charts.map(([chart]) => chart.element)),
    el('div', { class: 'columns' }, section('Deepest', deepest.element), section('Memory', memory.element)));
  let rows = null;
  let readAt = 0;
  poll(async () => {
    const isDue = rows === null || Date.now() - readAt >= ROWS_EVERY_MS;
    const history = await get('/history', isDue ? {} : { n: 1 });
    if (isDue) {
      readAt = Date.now();
      rows = history.rows;
      showRows(charts, rows);
    }
    return history;
  }, showFigures);
  poll(readHealth, showHealth);
}
