// One topic.

import { controls, createChannel } from './actions.js';
import { channelPage, get, parameter, poll, post } from './broker.js';
import { Chart, Recent } from './charts.js';
import { el, headline, labelled, notice, page, section, tiles } from './dom.js';
import { amount, bytes, count, rate, Rates, short } from './figures.js';
import { viewer } from './messages.js';
import { Table } from './table.js';

const topic = parameter('topic');
const rates = new Rates();
const speeds = new Recent(1);
const depths = new Recent(2);
const speedChart = new Chart('Published, while this page is open', ['messages a second'], n => short(n), { isGrowing: true });
const depthChart = new Chart('Depth, while this page is open', ['topic', 'channels'], n => short(n), { isGrowing: true });
const head = headline('Topic', topic, el('a', { href: '/console/topics' }, 'Topics'));

const figures = tiles([
  ['Depth', 'depth', 'Messages kept because there is no channel, or the topic is paused'],
  ['In channels', 'waiting', 'Messages that wait in all channels together'],
  ['Messages', 'messages', 'Since the broker started'],
  ['Bytes', 'bytes', 'Of bodies, since the broker started'],
  ['Published', 'rate', 'Messages a second'],
]);

const channels = new Table({
  label: 'Channels',
  columns: [
    { label: 'Channel', value: row => row.channel_name, href: row => channelPage(topic, row.channel_name) },
    { label: 'Depth', value: row => row.depth, text: row => count(row.depth), isNumber: true },
    { label: 'In flight', value: row => row.in_flight_count, text: row => count(row.in_flight_count), isNumber: true },
    { label: 'Deferred', value: row => row.deferred_count, text: row => count(row.deferred_count), isNumber: true },
    { label: 'Requeued', value: row => row.requeue_count, text: row => count(row.requeue_count), isNumber: true },
    { label: 'Timed out', value: row => row.timeout_count, text: row => count(row.timeout_count), isNumber: true },
    { label: 'Messages', value: row => row.message_count, text: row => count(row.message_count), isNumber: true },
    { label: 'Rate', value: row => row.rate, text: row => rate(row.rate), isNumber: true },
    { label: 'Consumers', value: row => row.client_count, text: row => count(row.client_count), isNumber: true },
    { label: 'State', value: row => (row.paused ? 'paused' : ''), isBadge: true },
  ],
  key: row => row.channel_name,
  filter: false,
  empty: 'No channels: messages are kept until there is one.',
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
  const from = el('input', { name: 'from', value: 'start', spellcheck: 'false', autocomplete: 'off' });
  page(...head.element, el('p', { class: 'buttons' }, create, ...actions.buttons), figures.element,
    section('Channels', channels.element),
    el('div', { class: 'charts' }, speedChart.element, depthChart.element),
    section('Messages', el('p', { class: 'hint' },
      'What is kept on disk, finished or not. From: start, a message id, a time such as 2026-01-31T12:00:00Z, or -10m.'),
    ...viewer('/topic/peek', { topic }, { label: 'From', control: from })),
    section('Publish a message', publishForm(changed)));

  function show({ topics }) {
    const found = (topics ?? [])[0];
    if (!found) {
      notice(`Topic ${topic} is not there any more.`, true);
      return;
    }
    const speed = rates.of('topic', found.message_count);
    const waiting = found.channels.reduce((total, channel) => total + channel.depth, 0);
    channels.update(found.channels.map(c => ({ ...c, rate: rates.of(`channel ${c.channel_name}`, c.message_count) })));
    rates.sweep();
    head.paused(found.paused);
    actions.show(found.paused);
    figures.show({
      depth: amount(found.depth),
      waiting: amount(waiting),
      messages: amount(found.message_count),
      bytes: bytes(found.message_bytes),
      rate: rate(speed),
    });
    speeds.add(speedChart, speed);
    depths.add(depthChart, found.depth, waiting);
  }

  const refresh = poll(
    () => get('/stats', { format: 'json', topic, include_clients: 'false', include_mem: 'false' }), show);
}
