// Asks the broker, by the HTTP API that programs use, and says when it does not answer.

import { el, notice, say } from './dom.js';
import { clock } from './figures.js';

const TIMEOUT_MS = 5000;
const POLL_MS = 2000;

/** The broker answered that it will not or cannot. */
export class Refused extends Error {
  constructor(status, code) {
    super(explain(status, code));
    this.status = status;
    this.code = code;
  }
}

/** Nothing came back. */
class Unreachable extends Error {}

function explain(status, code) {
  if (status === 401) {
    return 'Your session is over: log in again.';
  }
  if (status === 403) {
    return 'Your role may not do this.';
  }
  return `The broker answers ${status} ${code}.`;
}

function target(path, parameters) {
  const query = new URLSearchParams(parameters).toString();
  return query ? `${path}?${query}` : path;
}

async function ask(path, parameters, options) {
  let response;
  try {
    response = await fetch(target(path, parameters), {
      ...options,
      // As a page asks: who is logged out is sent to the form, not asked by the browser's own dialog.
      headers: { Accept: 'application/json, text/html;q=0.1' },
      cache: 'no-store',
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (response.type === 'opaqueredirect') {
      location.assign('/login');
      throw new Refused(401, 'UNAUTHORIZED');
    }
    const text = await response.text();
    if (!response.ok && !(options.isHealth && response.status === 503)) {
      throw new Refused(response.status, codeOf(text));
    }
    return text;
  } catch (error) {
    throw error instanceof Refused ? error : new Unreachable(error.message);
  }
}

function codeOf(text) {
  try {
    return String(JSON.parse(text).message);
  } catch {
    return text.slice(0, 200);
  }
}

/** GET of JSON. */
export async function get(path, parameters = {}) {
  return JSON.parse(await ask(path, parameters, {}));
}

/** The health's checks; null where the broker does not tell. */
export async function health() {
  try {
    return JSON.parse(await ask('/health/ready', {}, { isHealth: true }));
  } catch (error) {
    if (error instanceof Refused) {
      return null;
    }
    throw error;
  }
}

/** POST, and what came of it is said. Returns whether it was done. */
export async function post(path, parameters, body, done) {
  try {
    await ask(path, parameters, { method: 'POST', body });
    notice(done);
    return true;
  } catch (error) {
    notice(error instanceof Refused ? error.message : 'The broker did not answer: perhaps it was done, perhaps not.', true);
    return false;
  }
}

let alert = null;

function down(error) {
  if (!alert) {
    alert = el('p', { role: 'alert', class: 'alert' });
    document.getElementById('notices').prepend(alert);
    say(alert, `The broker does not answer since ${clock(Date.now())}: what you see is old.`);
    document.body.classList.add('stale');
  }
}

function up() {
  if (alert) {
    alert.remove();
    alert = null;
    document.body.classList.remove('stale');
  }
}

/**
 * Reads and shows, now and then every two seconds, as long as the page is open. One request at a time; a slow one makes
 * the next one wait, so that a page never takes more than a third of what the broker can answer.
 */
export function poll(read, show, everyMs = POLL_MS) {
  let timer = null;
  let isRunning = false;
  let isWanted = false;

  async function turn() {
    if (isRunning) {
      isWanted = true;
      return;
    }
    clearTimeout(timer);
    isRunning = true;
    const begin = performance.now();
    try {
      const data = await read();
      up();
      show(data);
    } catch (error) {
      if (error instanceof Unreachable || error.code === 'STARTING') {
        down(error);
      } else if (error instanceof Refused) {
        up();
        notice(error.message, true);
      } else {
        throw error;
      }
    } finally {
      isRunning = false;
      timer = setTimeout(turn, isWanted ? 0 : Math.max(everyMs, 2 * (performance.now() - begin)));
      isWanted = false;
    }
  }

  turn();
  return turn;
}

/** The address of a topic's page. */
export function topicPage(topic) {
  return target('/console/topic', { topic });
}

/** The address of a channel's page. */
export function channelPage(topic, channel) {
  return target('/console/channel', { topic, channel });
}

/** What the page's own address names. */
export function parameter(name) {
  return new URLSearchParams(location.search).get(name) ?? '';
}
