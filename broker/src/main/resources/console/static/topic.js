// One topic.

import { controls, createChannel } from './actions.js';
import { channelPage, get, parameter, poll, post } from './broker.js';
import { Chart, showRows } from './charts.js';
import { el, headline, labelled, notice, page, section, tiles } from './dom.js';
import { amount, bytes, count, rate, short } from './figures.js';
import { viewer } from './messages.js';
import { policySection } from './policy.js';
import { number, Table } from './table.js';

const ROWS_EVERY_MS = 5000;
const topic = parameter('topic');
let refresh = () => {};
const charts = [
  [new Chart('Messages a second', ['published'], n => rate(n), { isGrowing: true }), ['published']],
  [new Chart('Bytes a second', ['published'], n => `${bytes(n)}/s`, { isBytes: true, isGrowing: true }), ['published_bytes']],
  [new Chart('Depth', ['topic', 'channels'], n => short(n), { isGrowing: true }), ['depth', 'waiting']],
];
const head = headline('Topic', topic, el('a', { href: '/console/topics' }, 'Topics'));

const figures = tiles([
  ['Depth', 'depth', 'Messages kept because there is no channel, or the topic is paused'],
  ['In channels', 'waiting', 'Messages that wait in all channels together'],
  ['Messages', 'messages', 'Since the broker started'],
  ['Bytes', 'bytes', 'Of bodies, since the broker started'],
  ['Published', 'rate', 'Messages a second, over the last five seconds'],
  ['Journal', 'journal', 'Disk that the messages take, finished ones of the same files included'],
  ['Journal files', 'files', 'One goes when no channel needs it any more'],
  ['Ledgers', 'ledgers', 'Disk that the channels take to know what is finished'],
]);

const channels = new Table({
  label: 'Channels',
  columns: [
    { label: 'Channel', field: 'channel_name', value: row => row.channel_name, href: row => channelPage(topic, row.channel_name) },
    number('Depth', 'depth'),
    number('In flight', 'in_flight_count'),
    number('Deferred', 'deferred_count'),
    number('Dead', 'dead_count'),
    number('Requeued', 'requeue_count'),
    number('Timed out', 'timeout_count'),
    number('Messages', 'message_count'),
    number('Rate', 'rate', rate),
    number('Consumers', 'client_count'),
    { label: 'State', field: 'paused', value: row => (row.paused ? 'paused' : ''), isBadge: true },
  ],
  key: row => row.channel_name,
  empty: 'No channels: messages are kept until there is one.',
  ask: () => refresh(),
});

function publishForm(changed) {
  const body = el('textarea', { name: 'body', rows: '4', required: true, spellcheck: 'false' });
  const defer = el('input', { name: 'defer', type: 'number', min: '0', placeholder: '0' });
  return el('form', { on: { submit: async event => {
    event.preventDefault();
    const parameters = defer.value ? { topic, defer: defer.value } : { topic };
    if (await post('/pub', parameters, body.value, 'The message is published.')) {
      body.value = '';
      changed();
    }
  } } }, labelled('Body', body), el('div', { class: 'row' }, labelled('Deferred by, in ms', defer),
    el('button', { class: 'primary' }, 'Publish')));
}

export function start() {
  const changed = () => refresh();
  const actions = controls('topic', { topic }, changed, () => location.assign('/console/topics'));
  const create = el('button', { type: 'button', on: { click: async () => {
    if (await createChannel(topic) !== null) {
      changed();
    }
  } } }, 'Create a channel…');
  const policy = policySection('topic', { topic }, () => {
    readAt = 0;
    refresh();
  });
  const from = el('input', { name: 'from', value: 'start', spellcheck: 'false', autocomplete: 'off' });
  page(...head.element, el('p', { class: 'buttons' }, create, ...actions.buttons), figures.element,
    section('Channels', channels.element),
    el('div', { class: 'charts' }, ...charts.map(([chart]) => chart.element)),
    section('Messages', el('p', { class: 'hint' },
      'What is kept on disk, finished or not. From: start, a message id, a time such as 2026-01-31T12:00:00Z, or -10m.'),
    ...viewer('/topic/peek', { topic }, { label: 'From', control: from })),
    section('Publish a message', publishForm(changed)), policy.element);

  function show([found, listed]) {
    if (!found) {
      notice(`Topic ${topic} is not there any more.`, true);
      return;
    }
    head.paused(found.paused);
    actions.show(found.paused);
    channels.show(listed);
    figures.show({
      depth: amount(found.depth),
      waiting: amount(found.waiting),
      messages: amount(found.message_count),
      bytes: bytes(found.message_bytes),
    });
  }

  function showHistory({ now, rows }) {
    figures.show({ rate: rate(rows.published.at(-1)), journal: bytes(now.journal_bytes), files: count(now.journal_files), ledgers: bytes(now.ledger_bytes) });
    showRows(charts, rows);
  }

  let readAt = 0;
  refresh = poll(async () => {
    const { rows: [found] } = await get('/list', { of: 'topics', topic });
    if (found && Date.now() - readAt >= ROWS_EVERY_MS) {
      readAt = Date.now();
      showHistory(await get('/history', { topic }));
      policy.show(await get('/topic/policy', { topic }));
    }
    return [found, found && await get('/list', { of: 'channels', topic, ...channels.query() })];
  }, show);
}
