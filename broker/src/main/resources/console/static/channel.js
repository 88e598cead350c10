// One channel.

import { confirmByName, controls } from './actions.js';
import { get, parameter, poll, post, topicPage } from './broker.js';
import { Chart, showRows } from './charts.js';
import { el, headline, labelled, notice, page, section, select, tiles } from './dom.js';
import { amount, bytes, count, moment, rate, short } from './figures.js';
import { viewer } from './messages.js';
import { policySection } from './policy.js';
import { number, Table } from './table.js';

const ROWS_EVERY_MS = 5000;
const topic = parameter('topic');
const channel = parameter('channel');
let refresh = () => {};
const charts = [
  [new Chart('Messages a second', ['arrived', 'finished', 'requeued', 'timed out'], n => rate(n), { isGrowing: true }),
    ['arrived', 'finished', 'requeued', 'timed_out']],
  [new Chart('Messages', ['depth', 'in flight', 'deferred'], n => short(n), { isGrowing: true }),
    ['depth', 'in_flight', 'deferred']],
];
const head = headline('Channel', channel, el('a', { href: '/console/topics' }, 'Topics'), ' / ',
  el('a', { href: topicPage(topic) }, topic));

const figures = tiles([
  ['Depth', 'depth', 'Ready to be delivered'],
  ['On disk only', 'backend', 'Of the depth: not in memory'],
  ['In flight', 'in-flight', 'Delivered and not answered yet'],
  ['Deferred', 'deferred', 'Wait for a time'],
  ['Dead', 'dead', 'Dead letters that are kept: not delivered any more'],
  ['Requeued', 'requeued', 'Sent back by REQ since the broker started'],
  ['Timed out', 'timed-out', 'Not answered in time since the broker started'],
  ['Messages', 'messages', 'Since the broker started'],
  ['Arriving', 'rate', 'Messages a second, over the last five seconds'],
  ['Consumers', 'consumers'],
  ['Ledger', 'ledger', 'Disk that the channel takes to know what is finished'],
]);

const consumers = new Table({
  label: 'Consumers',
  columns: [
    { label: 'Address', field: 'remote_address', value: row => row.remote_address, width: 'short' },
    { label: 'Id', field: 'client_id', value: row => row.client_id },
    { label: 'Host', field: 'hostname', value: row => row.hostname },
    { label: 'Agent', field: 'user_agent', value: row => row.user_agent },
    number('RDY', 'ready_count'),
    number('In flight', 'in_flight_count'),
    number('Delivered', 'message_count'),
    number('Finished', 'finish_count'),
    number('Requeued', 'requeue_count'),
    number('Connected', 'connect_ts', seconds => moment(seconds * 1000)),
  ],
  key: row => row.remote_address,
  empty: 'No consumers.',
  ask: () => refresh(),
});

/** Ends dead letters: all of them, or the one that is named. */
function deadLetters(changed) {
  const id = el('input', { name: 'id', placeholder: 'all', autocomplete: 'off', spellcheck: 'false' });
  const end = async (verb, done) => {
    const one = id.value.trim();
    if (await post(`/channel/${verb}`, one ? { topic, channel, id: one } : { topic, channel }, null, done)) {
      id.value = '';
      changed();
    }
  };
  const redrive = el('button', { class: 'primary' }, 'Redrive');
  const discard = el('button', { type: 'button', class: 'danger', on: { click: async () => {
    if (await confirmByName(`Discard dead letters of ${channel}?`, 'They are lost.', channel, 'Discard')) {
      end('discard', 'They are discarded.');
    }
  } } }, 'Discard…');
  return section('Dead letters', el('p', { class: 'hint' },
    'Messages at the end of their attempts or life, as the policy has it; Look at them below. Redriven ones are ready again.'),
  el('form', { class: 'row', on: { submit: event => {
    event.preventDefault();
    end('redrive', 'They are ready again.');
  } } }, labelled('Message id', id), redrive, discard));
}

export function start() {
  const actions = controls('channel', { topic, channel }, () => refresh(), () => location.assign(topicPage(topic)));
  const state = select([['ready', 'Ready'], ['in_flight', 'In flight'], ['deferred', 'Deferred'], ['dead', 'Dead']], { name: 'state' });
  const policy = policySection('channel', { topic, channel }, () => again());
  page(...head.element, el('p', { class: 'buttons' }, ...actions.buttons), figures.element,
    section('Consumers', consumers.element), el('div', { class: 'charts' }, ...charts.map(([chart]) => chart.element)),
    section('Messages', ...viewer('/channel/peek', { topic, channel }, { label: 'Which', control: state })),
    deadLetters(() => again()), policy.element);

  function show([found, listed]) {
    if (!found) {
      notice(`Channel ${channel} is not there any more.`, true);
      return;
    }
    head.paused(found.paused);
    actions.show(found.paused);
    figures.show({
      depth: amount(found.depth),
      backend: amount(found.backend_depth),
      'in-flight': amount(found.in_flight_count),
      deferred: amount(found.deferred_count),
      dead: amount(found.dead_count),
      requeued: amount(found.requeue_count),
      'timed-out': amount(found.timeout_count),
      messages: amount(found.message_count),
      consumers: count(found.client_count),
    });
    consumers.show(listed);
  }

  let readAt = 0;
  refresh = poll(async () => {
    // Not /stats, which shows what this broker has: in a cluster another one may have the figures.
    const { rows: [found] } = await get('/list', { of: 'channels', topic, channel });
    if (found && Date.now() - readAt >= ROWS_EVERY_MS) {
      readAt = Date.now();
      const { now, rows } = await get('/history', { topic, channel });
      figures.show({ rate: rate(rows.arrived.at(-1)), ledger: bytes(now.ledger_bytes) });
      showRows(charts, rows);
      policy.show(await get('/channel/policy', { topic, channel }));
    }
    return [found, found && await get('/list', { of: 'consumers', topic, channel, ...consumers.query() })];
  }, show);

  function again() {
    readAt = 0;
    refresh();
  }
}
