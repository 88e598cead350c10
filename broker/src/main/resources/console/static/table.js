// A table that is filtered and sorted here, and shows a window of its rows.

import { el, say, wide } from './dom.js';

const WINDOW = 200;

/**
 * columns: `{label, value(row), text(row)?, href(row)?, isNumber?, isBadge?, width?}`; value is what is sorted by, and shown
 * where there is no text; width is `short` (never wrapped) or `long`. Rows of one key keep their element, so that focus and selection stay.
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

  constructor({ label, columns, key, sortBy = 0, isDown = false, filter = true, empty = 'None.' }) {
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
    this.#draw();
  }

  /** Shows only rows in which some cell has this text. */
  filter(text) {
    this.#filter = text.trim().toLowerCase();
    this.#page = 0;
    this.#draw();
  }

  /** Shows these. */
  update(rows) {
    this.#rows = rows;
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
    const rows = this.#chosen();
    const pages = Math.max(1, Math.ceil(rows.length / WINDOW));
    this.#page = Math.min(this.#page, pages - 1);
    const from = this.#page * WINDOW;
    const visible = rows.slice(from, from + WINDOW);
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
    this.#heads.forEach((head, i) => {
      if (i === this.#sortBy) {
        head.setAttribute('aria-sort', this.#isDown ? 'descending' : 'ascending');
      } else {
        head.removeAttribute('aria-sort');
      }
    });
    this.#empty.hidden = rows.length > 0;
    say(this.#empty, this.#rows.length > 0 ? 'Nothing matches the filter.' : this.#emptyText);
    this.#drawPager(rows.length, from, visible.length, pages);
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
        this.#draw();
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
