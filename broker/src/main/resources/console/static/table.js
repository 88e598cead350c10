// A table that is filtered and sorted here, or by the broker where there may be many rows, and shows a window of them.

import { el, say, wide } from './dom.js';
import { count } from './figures.js';

const WINDOW = 200;

/** A column of numbers that the broker calls so. */
export function number(label, field, text = count) {
  return { label, field, value: row => row[field], text: row => text(row[field]), isNumber: true };
}

/**
 * columns: `{label, value(row), text(row)?, href(row)?, field?, isNumber?, isBadge?, width?}`; value is what is sorted by, and shown
 * where there is no text; width is `short` (never wrapped) or `long`. Rows of one key keep their element, so that focus and selection stay.
 *
 * With `ask` the broker filters, sorts and cuts: then field is what it calls the column, ask() is called when other rows are
 * wanted, `query()` says which, and `show()` takes its answer.
 */
export class Table {
  #columns;
  #key;
  #rows = [];
  #shown = new Map();
  #sortBy;
  #isDown;
  #filter = '';
  #page = 0;
  #body = el('tbody');
  #heads = [];
  #pager = el('p', { class: 'pager' });
  #empty;
  #emptyText;
  #ask;
  #found = 0;
  #total = 0;

  constructor({ label, columns, key, sortBy = 0, isDown = false, filter = true, empty = 'None.', ask = null }) {
    this.#ask = ask;
    this.#columns = columns;
    this.#key = key;
    this.#sortBy = sortBy;
    this.#isDown = isDown;
    this.#emptyText = empty;
    this.#empty = el('p', { class: 'empty', hidden: true }, empty);
    const head = el('tr', {}, ...columns.map((column, i) => this.#head(column, i)));
    const table = el('table', {}, el('caption', { class: 'hidden' }, label), el('thead', {}, head), this.#body);
    this.element = el('div', { class: 'table' },
      filter ? this.#filterBox(label) : null,
      wide(label, table), this.#empty, this.#pager);
  }

  #filterBox(label) {
    const box = el('input', {
      type: 'search', placeholder: 'Filter', 'aria-label': `Filter ${label.toLowerCase()}`, autocomplete: 'off',
      spellcheck: 'false', on: { input: () => this.filter(box.value) },
    });
    return box;
  }

  #head(column, i) {
    const button = el('button', { type: 'button', on: { click: () => this.#sort(i) } }, column.label);
    const head = el('th', { scope: 'col', class: column.isNumber ? 'number' : null }, button);
    this.#heads.push(head);
    return head;
  }

  #sort(i) {
    this.#isDown = this.#sortBy === i ? !this.#isDown : Boolean(this.#columns[i].isNumber);
    this.#sortBy = i;
    this.#page = 0;
    this.#changed();
  }

  /** Shows only rows in which some cell has this text. */
  filter(text) {
    this.#filter = text.trim().toLowerCase();
    this.#page = 0;
    this.#changed();
  }

  #changed() {
    if (this.#ask) {
      this.#drawHeads();
      this.#ask();
    } else {
      this.#draw();
    }
  }

  /** Shows these. */
  update(rows) {
    this.#rows = rows;
    this.#total = rows.length;
    this.#draw();
  }

  /** What is asked of the broker. */
  query() {
    const { field } = this.#columns[this.#sortBy];
    return {
      sort: field, order: this.#isDown ? 'desc' : 'asc', filter: this.#filter, from: this.#page * WINDOW, n: WINDOW,
    };
  }

  /** Shows what the broker answered. */
  show({ rows, found, total }) {
    if (rows.length === 0 && found > 0) {
      this.#page = Math.ceil(found / WINDOW) - 1; // there are fewer than before
      this.#ask();
      return;
    }
    this.#rows = rows;
    this.#found = found;
    this.#total = total;
    this.#draw();
  }

  #chosen() {
    const words = this.#filter;
    const rows = words === '' ? [...this.#rows] : this.#rows.filter(row => this.#columns.some(
      column => !column.isNumber && this.#text(column, row).toLowerCase().includes(words)));
    const { value, isNumber } = this.#columns[this.#sortBy];
    const sign = this.#isDown ? -1 : 1;
    const order = isNumber
      ? (a, b) => (value(a) ?? -1) - (value(b) ?? -1)
      : (a, b) => (String(value(a)) < String(value(b)) ? -1 : String(value(a)) > String(value(b)) ? 1 : 0);
    return rows.sort((a, b) => sign * order(a, b));
  }

  #text(column, row) {
    const text = (column.text ?? column.value)(row);
    return text === null || text === undefined ? '' : String(text);
  }

  #draw() {
    const rows = this.#ask ? this.#rows : this.#chosen();
    const found = this.#ask ? this.#found : rows.length;
    const pages = Math.max(1, Math.ceil(found / WINDOW));
    this.#page = Math.min(this.#page, pages - 1);
    const from = this.#page * WINDOW;
    const visible = this.#ask ? rows : rows.slice(from, from + WINDOW);
    const kept = new Map();
    visible.forEach((row, i) => {
      const key = this.#key(row);
      const line = this.#shown.get(key) ?? this.#line();
      kept.set(key, line);
      this.#columns.forEach((column, c) => this.#cell(line.cells[c], column, row));
      if (this.#body.children[i] !== line.element) {
        this.#body.insertBefore(line.element, this.#body.children[i] ?? null);
      }
    });
    while (this.#body.children.length > kept.size) {
      this.#body.lastElementChild.remove();
    }
    this.#shown = kept;
    this.#drawHeads();
    this.#empty.hidden = rows.length > 0;
    say(this.#empty, this.#total > 0 ? 'Nothing matches the filter.' : this.#emptyText);
    this.#drawPager(found, from, visible.length, pages);
  }

  #drawHeads() {
    this.#heads.forEach((head, i) => {
      if (i === this.#sortBy) {
        head.setAttribute('aria-sort', this.#isDown ? 'descending' : 'ascending');
      } else {
        head.removeAttribute('aria-sort');
      }
    });
  }

  #line() {
    const cells = this.#columns.map(column => el('td', { class: column.isNumber ? 'number' : column.width ?? null },
      column.href ? el('a') : column.isBadge ? el('span', { class: 'badge' }) : el('span')));
    return { element: el('tr', {}, ...cells), cells: cells.map(cell => cell.firstChild) };
  }

  #cell(cell, column, row) {
    const text = this.#text(column, row);
    say(cell, text);
    if (column.href && text === '') {
      cell.removeAttribute('href'); // a link without a text says nothing
    } else if (column.href) {
      const href = column.href(row);
      if (cell.getAttribute('href') !== href) {
        cell.setAttribute('href', href);
      }
    } else if (column.isBadge) {
      cell.hidden = text === '';
    }
  }

  #drawPager(total, from, shown, pages) {
    this.#pager.hidden = pages === 1;
    if (pages === 1) {
      return;
    }
    if (!this.#pager.firstChild) {
      const step = by => () => {
        this.#page += by;
        this.#changed();
      };
      this.#pager.append(
        el('button', { type: 'button', on: { click: step(-1) } }, 'Previous'),
        el('span'),
        el('button', { type: 'button', on: { click: step(1) } }, 'Next'));
    }
    const [back, text, on] = this.#pager.children;
    back.disabled = this.#page === 0;
    on.disabled = this.#page === pages - 1;
    say(text, `${from + 1} to ${from + shown} of ${total}`);
  }
}
