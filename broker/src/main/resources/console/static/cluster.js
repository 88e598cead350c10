// The three nodes of a cluster, and the groups that its topics are divided into, as this node sees them.

import { get, health, poll } from './broker.js';
import { el, page, say, section } from './dom.js';
import { bytes, count, span } from './figures.js';
import { number, Table } from './table.js';

const EVERY_MS = 2000;
const summary = el('p', { class: 'hint' });
const troubles = el('ul', { class: 'troubles' });

/** What this node has heard of another one. */
function contact(node) {
  return node.reachable ? 'reachable' : node.last_contact_ms < 0 ? 'never heard of' : `not reachable for ${span(node.last_contact_ms / 1000)}`;
}

const nodes = new Table({
  label: 'Nodes',
  filter: false,
  columns: [
    { label: 'Node', value: row => row.node, width: 'short' },
    { label: 'Seen from here', value: contact, width: 'short' },
    { label: 'State', value: row => (row.draining ? 'draining' : ''), isBadge: true },
    { label: 'Leads groups', value: row => row.leads },
    { label: 'For clients', value: row => row.tcp_address ?? 'not known', width: 'short' },
    { label: 'HTTP', value: row => row.http_address ?? 'not known', width: 'short' },
    { label: 'For nodes', value: row => row.address, width: 'short' },
    number('Incarnation', 'incarnation'),
    { label: 'Version', value: row => row.version ?? '' },
    number('Disk free', 'disk_free_bytes', n => (n === null ? '' : bytes(n))),
    number('Clock, ms', 'clock_offset_ms', n => (n === null ? '' : String(n))),
  ],
  key: row => row.node,
});

/** By how many entries the others are behind; known to the leader only. */
function lags(group) {
  const lag = n => (n < 0 ? 'not heard of yet' : n === 0 ? 'level' : count(n));
  return group.peers.map(peer => `${peer.node} ${peer.voter ? '' : '(learner) '}${lag(peer.lag)}`).join(', ');
}

const groups = new Table({
  label: 'Groups',
  filter: false,
  columns: [
    number('Group', 'group'),
    { label: 'Leader', value: row => row.leader ?? 'none' },
    { label: 'Preferred', value: row => row.preferred },
    { label: 'Role here', value: row => row.role },
    number('Term', 'term'),
    number('Last', 'last'),
    number('Applied', 'applied'),
    number('Snapshot', 'snapshot'),
    number('Log', 'log_bytes', bytes),
    number('Topics', 'topics'),
    { label: 'Behind, entries', value: lags },
  ],
  key: row => row.group,
});

/** What is wrong: what the health says of the cluster, else the groups that have stopped here. */
function wrong(cluster, checks) {
  const check = checks?.checks.find(each => each.name === 'cluster');
  return check?.reason ? [check.reason]
    : cluster.groups.filter(group => group.error).map(group => `group ${group.group}: ${group.error}`);
}

function show([cluster, checks]) {
  const led = new Map();
  cluster.groups.filter(group => group.leader).forEach(group => led.set(group.leader, [...(led.get(group.leader) ?? []), group.group]));
  nodes.update(cluster.nodes.map(node => ({ ...node, leads: (led.get(node.node) ?? []).join(', ') })));
  groups.update(cluster.groups);
  say(summary, `This is ${cluster.node}, ${cluster.state}${cluster.draining ? ', draining' : ''}, of cluster ${cluster.uuid ?? '(none yet)'}`
    + ` (cluster_id ${cluster.cluster_id}).`);
  const texts = wrong(cluster, checks);
  if (JSON.stringify(texts) !== troubles.dataset.texts) {
    troubles.dataset.texts = JSON.stringify(texts);
    troubles.replaceChildren(...texts.map(text => el('li', { class: 'alert' }, text)));
  }
}

export function start() {
  page(el('h1', {}, 'Cluster'), summary, troubles, section('Nodes', nodes.element), section('Groups', groups.element));
  poll(async () => [await get('/cluster'), await health()], show, EVERY_MS);
}
