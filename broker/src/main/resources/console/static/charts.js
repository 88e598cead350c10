// Line charts in SVG. They are drawn anew with each update: a few paths.

import { el, say, svg } from './dom.js';
import { clock } from './figures.js';

const HEIGHT = 130;
const LEFT = 4;
const BOTTOM = 18;
const TOP = 6;
const SPAN_MS = 15 * 60 * 1000;
const LEAST_SPAN_MS = 60 * 1000;
const TICKS = 3;
const STEP_MS = TICKS * 60 * 1000;

/** The last 15 minutes of some figures. series: names; format makes text of a value; isBytes: powers of two; isGrowing: the
 * time shown is a minute at first, and as much as is known in steps of three. */
export class Chart {
  #title;
  #series;
  #format;
  #nice;
  #isGrowing;
  #times = [];
  #values = [];
  #picture;
  #legend = [];
  #at = null;
  #scale = el('span', { class: 'scale' });
  #when = el('span', { class: 'when' });

  constructor(title, series, format, { isBytes = false, isGrowing = false } = {}) {
    this.#isGrowing = isGrowing;
    this.#nice = isBytes ? powerAbove : niceAbove;
    this.#title = title;
    this.#series = series;
    this.#format = format;
    this.#picture = svg('svg', { role: 'img', height: HEIGHT, on: {
      pointermove: event => this.#point(event),
      pointerleave: () => this.#point(null),
    } });
    const legend = el('ul', { class: 'legend' }, ...series.map((name, i) => {
      const value = el('b', {}, '–');
      this.#legend.push(value);
      return el('li', {}, el('i', { class: `key line${i}` }), name, ' ', value);
    }));
    this.element = el('figure', { class: 'chart' },
      el('figcaption', {}, el('span', {}, title), this.#when, this.#scale), this.#picture, legend);
    new ResizeObserver(() => this.#draw()).observe(this.element);
  }

  /** times in ms since 1970, rising; values: a list of as many values for each series, null for none. */
  update(times, values) {
    this.#times = times;
    this.#values = values;
    this.#draw();
  }

  #span() {
    const known = this.#times.length === 0 ? 0 : this.#times[this.#times.length - 1] - this.#times[0];
    if (!this.#isGrowing) {
      return SPAN_MS;
    }
    return known <= LEAST_SPAN_MS ? LEAST_SPAN_MS : Math.min(SPAN_MS, Math.ceil(known / STEP_MS) * STEP_MS);
  }

  #point(event) {
    if (!event || this.#times.length === 0) {
      this.#at = null;
    } else {
      const box = this.#picture.getBoundingClientRect();
      const end = this.#times[this.#times.length - 1];
      const time = end - this.#span() * (1 - (event.clientX - box.left - LEFT) / Math.max(1, box.width - 2 * LEFT));
      let best = 0;
      this.#times.forEach((t, i) => {
        if (Math.abs(t - time) < Math.abs(this.#times[best] - time)) {
          best = i;
        }
      });
      this.#at = best;
    }
    this.#draw();
  }

  #draw() {
    const width = Math.max(120, Math.floor(this.element.clientWidth) - 24);
    const last = this.#times.length - 1;
    const end = last < 0 ? Date.now() : this.#times[last];
    const known = this.#values.flat().filter(value => value !== null && value !== undefined);
    const span = this.#span();
    const most = this.#nice(Math.max(...known, 0));
    const x = time => LEFT + (width - 2 * LEFT) * (1 - (end - time) / span);
    const y = value => TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / most);
    this.#picture.setAttribute('width', width);
    this.#picture.setAttribute('viewBox', `0 0 ${width} ${HEIGHT}`);
    const parts = [grid(y(0), width), grid(y(most / 2), width), grid(y(most), width)];
    for (let tick = 0; tick <= TICKS; tick++) {
      const ago = span * tick / TICKS;
      const anchor = tick === 0 ? 'end' : tick === TICKS ? 'start' : 'middle';
      parts.push(svg('text', { x: x(end - ago), y: HEIGHT - 4, 'text-anchor': anchor }, tick === 0 ? 'now' : before(ago)));
    }
    this.#values.forEach((values, i) => parts.push(svg('path', { class: `line line${i}`, d: this.#path(values, x, y) })));
    const at = this.#at === null ? last : Math.min(this.#at, last);
    if (this.#at !== null && at >= 0) {
      parts.push(svg('line', { class: 'cursor', x1: x(this.#times[at]), x2: x(this.#times[at]), y1: TOP, y2: y(0) }));
    }
    this.#picture.replaceChildren(...parts);
    const texts = this.#values.map(values => (at < 0 || values[at] === null ? '–' : this.#format(values[at])));
    texts.forEach((text, i) => say(this.#legend[i], text));
    say(this.#when, this.#at === null || at < 0 ? '' : clock(this.#times[at]));
    say(this.#scale, `to ${this.#format(most)}`);
    this.#picture.setAttribute('aria-label',
      `${this.#title}: ${this.#series.map((name, i) => `${name} ${texts[i] ?? '–'}`).join(', ')}`);
  }

  #path(values, x, y) {
    let path = '';
    let isOn = false;
    values.forEach((value, i) => {
      if (value === null || value === undefined) {
        isOn = false;
        return;
      }
      // A point alone is drawn as a dot: a line of no length with round ends.
      path += `${isOn ? 'L' : 'M'}${x(this.#times[i]).toFixed(1)} ${y(value).toFixed(1)}${isOn ? '' : 'h0'}`;
      isOn = true;
    });
    return path;
  }
}

function before(ms) {
  const s = Math.round(ms / 1000);
  return s < 60 ? `−${s} s` : `−${s / 60} min`;
}

function grid(y, width) {
  return svg('line', { class: 'grid', x1: LEFT, x2: width - LEFT, y1: y, y2: y });
}

function niceAbove(value) {
  if (value <= 0) {
    return 1;
  }
  const size = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map(step => step * size).find(step => step >= value * 0.999999);
}

function powerAbove(value) {
  return value <= 1 ? 1 : 2 ** Math.ceil(Math.log2(value));
}

/** Shows rows of the history: charts are [chart, names of columns]. */
export function showRows(charts, rows) {
  charts.forEach(([chart, columns]) => chart.update(rows.time_ms, columns.map(column => rows[column])));
}
