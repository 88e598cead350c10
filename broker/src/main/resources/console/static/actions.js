// What changes something: buttons and the questions before them.

import { post } from './broker.js';
import { el, labelled, notice } from './dom.js';

function dialog(title, content, confirm, isDanger) {
  const go = el('button', { value: 'go', class: isDanger ? 'danger' : 'primary' }, confirm);
  const heading = el('h2', { id: 'dialog-title' }, title);
  const box = el('dialog', { 'aria-labelledby': 'dialog-title' },
    el('form', { method: 'dialog' }, heading, ...content,
      el('p', { class: 'buttons' }, el('button', { value: '', formnovalidate: true, type: 'button',
        on: { click: () => box.close('') } }, 'Cancel'), go)));
  return { box, go };
}

function answer(box) {
  document.body.append(box);
  box.showModal();
  return new Promise(resolve => {
    box.addEventListener('close', () => {
      box.remove();
      resolve(box.returnValue === 'go');
    });
  });
}

/** Whether the user typed the name of what is to be destroyed. */
export function confirmByName(title, text, name, confirm) {
  const input = el('input', { name: 'confirm', autocomplete: 'off', spellcheck: 'false', autocapitalize: 'off' });
  const { box, go } = dialog(title,
    [el('p', {}, text), el('p', {}, 'To confirm, type ', el('code', {}, name)), labelled('Name', input)], confirm, true);
  go.disabled = true;
  input.addEventListener('input', () => {
    go.disabled = input.value !== name;
  });
  return answer(box);
}

const NAME = /^[.a-zA-Z0-9_-]{1,64}(#ephemeral)?$/;

/** Asks for the name of something new; null for none. */
async function askName(title) {
  const input = el('input', { name: 'name', required: true, autocomplete: 'off', spellcheck: 'false', autocapitalize: 'off' });
  const { box } = dialog(title, [labelled('Name', input),
    el('p', { class: 'hint' }, 'Letters, digits, . _ and -, at most 64; #ephemeral at the end for one that leaves nothing behind.')],
  'Create', false);
  const isDone = await answer(box);
  const name = input.value.trim();
  if (!isDone) {
    return null;
  }
  if (!NAME.test(name)) {
    notice(`${name.slice(0, 80)} is no valid name.`, true);
    return null;
  }
  return name;
}

/** Creates a topic; its name, or null. */
export async function createTopic() {
  const topic = await askName('Create a topic');
  return topic !== null && await post('/topic/create', { topic }, null, `Topic ${topic} is there.`) ? topic : null;
}

/** Creates a channel; its name, or null. */
export async function createChannel(topic) {
  const channel = await askName(`Create a channel of ${topic}`);
  return channel !== null && await post('/channel/create', { topic, channel }, null, `Channel ${channel} is there.`)
    ? channel : null;
}

/**
 * The buttons of a topic or channel.
 *
 * kind is `topic` or `channel`, names the parameters, changed is called when something was done, gone when it was deleted.
 */
export function controls(kind, names, changed, gone) {
  const name = names[kind];
  let isPaused = false;
  const act = async (action, done) => {
    if (await post(`/${kind}/${action}`, names, null, done)) {
      changed();
    }
  };
  const pause = el('button', { type: 'button', on: { click: () => act(isPaused ? 'unpause' : 'pause',
    isPaused ? `${name} goes on.` : `${name} is paused.`) } }, 'Pause');
  const empty = el('button', { type: 'button', class: 'danger', on: { click: async () => {
    const text = kind === 'topic'
      ? 'Messages that the topic keeps because it has no channel, or is paused, are lost.'
      : 'All messages of this channel are lost: ready, in flight and deferred.';
    if (await confirmByName(`Empty ${kind} ${name}?`, text, name, 'Empty')) {
      act('empty', `${name} is empty.`);
    }
  } } }, 'Empty…');
  const remove = el('button', { type: 'button', class: 'danger', on: { click: async () => {
    const text = kind === 'topic'
      ? 'The topic, its channels and all their messages are lost. Consumers are disconnected.'
      : 'The channel and its messages are lost. Its consumers are disconnected.';
    if (await confirmByName(`Delete ${kind} ${name}?`, text, name, 'Delete')
        && await post(`/${kind}/delete`, names, null, `${name} is deleted.`)) {
      gone();
    }
  } } }, 'Delete…');
  return {
    buttons: [pause, empty, remove],
    show(paused) {
      isPaused = paused;
      pause.textContent = paused ? 'Unpause' : 'Pause';
    },
  };
}
