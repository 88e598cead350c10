// Builds elements. Whatever comes from outside becomes text: nothing here parses markup.

const SVG = 'http://www.w3.org/2000/svg';

/**
 * An element. Properties: `on` has listeners by event, all others are attributes; false, null and undefined ones are
 * left out, true ones have no value. Children: nodes and texts; null ones are left out.
 */
export function el(tag, properties = {}, ...children) {
  return fill(document.createElement(tag), properties, children);
}

/** The same of SVG. */
export function svg(tag, properties = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), properties, children);
}

function fill(element, properties, children) {
  for (const [name, value] of Object.entries(properties)) {
    if (name === 'on') {
      Object.entries(value).forEach(([event, listener]) => element.addEventListener(event, listener));
    } else if (value !== false && value !== null && value !== undefined) {
      element.setAttribute(name, value === true ? '' : String(value));
    }
  }
  element.append(...children.flat().filter(child => child !== null && child !== undefined));
  return element;
}

/** Sets a text, and touches the page only when it is another one. */
export function say(element, text) {
  const string = String(text);
  if (element.textContent !== string) {
    element.textContent = string;
  }
}

/** A heading with a paragraph of figures: `tiles([['Depth', 'depth'], ...])`, then `.show({depth: '5'})`. */
export function tiles(names) {
  const values = new Map();
  const list = el('dl', { class: 'tiles' });
  for (const [label, id, hint] of names) {
    const value = el('dd', { id: `figure-${id}` }, '–');
    values.set(id, value);
    list.append(el('div', { title: hint }, el('dt', {}, label), value));
  }
  return {
    element: list,
    show(texts) {
      Object.entries(texts).forEach(([id, text]) => say(values.get(id), text));
    },
  };
}

/** A part of the page with a heading. */
export function section(title, ...children) {
  return el('section', {}, el('h2', {}, title), ...children);
}

/** Something wide that can be scrolled sideways, with the keyboard too. */
export function wide(label, child) {
  return el('div', { class: 'wide', tabindex: '0', role: 'region', 'aria-label': label }, child);
}

/** A control with its name. */
export function labelled(label, control) {
  return el('label', {}, el('span', {}, label), control);
}

/** A choice: options are [value, text]. */
export function select(options, properties = {}) {
  return el('select', properties, ...options.map(([value, text]) => el('option', { value }, text)));
}

const SHOWN_MS = 8000;

/** Says something for a while, also to a screen reader. */
export function notice(text, isBad = false) {
  const box = document.getElementById('notices');
  let live = box.querySelector('[role=status]');
  if (!live) {
    live = el('div', { role: 'status' });
    box.append(live);
  }
  const line = el('p', { class: isBad ? 'notice bad' : 'notice' }, text);
  live.replaceChildren(line);
  setTimeout(() => line.remove(), SHOWN_MS);
}

/** Puts these into the page instead of what is there. */
export function page(...children) {
  document.getElementById('main').replaceChildren(...children.flat());
}

/** The head of a page about something with a name. */
export function headline(kind, name, ...above) {
  document.title = `${name} - ${kind} - Holdfast`;
  const badge = el('span', { class: 'badge', hidden: true }, 'paused');
  return {
    element: [
      above.length ? el('p', { class: 'crumbs' }, ...above) : null,
      el('h1', {}, el('small', {}, kind), ' ', el('span', { class: 'name' }, name), ' ', badge),
    ].filter(part => part),
    paused(isPaused) {
      badge.hidden = !isPaused;
    },
  };
}
