// Numbers and times for people.

/** A count in full, so that it can be searched and copied. */
export function count(n) {
  return String(n ?? 0);
}

/** A count in full, with its size in words when it is long. */
export function amount(n) {
  return n >= 1e6 ? `${n} (${short(n)})` : count(n);
}

/** So many of them, in words. */
export function many(n, one) {
  return `${n} ${one}${n === 1 ? '' : 's'}`;
}

const SIZES = [[1e12, 'T'], [1e9, 'G'], [1e6, 'M'], [1e3, 'k']];

/** Three digits and a letter. */
export function short(n) {
  for (const [size, letter] of SIZES) {
    if (Math.abs(n) >= size) {
      return `${digits(n / size)} ${letter}`;
    }
  }
  return digits(n);
}

function digits(n) {
  const places = Math.abs(n) >= 100 || Number.isInteger(n) ? 0 : Math.abs(n) >= 10 ? 1 : 2;
  return n.toFixed(places);
}

/** Something a second. */
export function rate(n) {
  return n === null || n === undefined ? '–' : `${short(Math.round(n * 10) / 10)}/s`;
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** Bytes, in powers of two. */
export function bytes(n) {
  if (n === null || n === undefined || n < 0) {
    return '–';
  }
  let unit = 0;
  let value = n;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${digits(value)} ${UNITS[unit]}`;
}

/** A duration of some seconds. */
export function seconds(s) {
  if (s === null || s === undefined) {
    return '–';
  }
  if (s < 1e-3) {
    return `${digits(s * 1e6)} µs`;
  }
  return s < 1 ? `${digits(s * 1e3)} ms` : `${digits(s)} s`;
}

/** A long duration of so many seconds, in its two greatest units. */
export function span(s) {
  const parts = [];
  let rest = Math.max(0, Math.floor(s));
  for (const [size, name] of [[86400, 'd'], [3600, 'h'], [60, 'min'], [1, 's']]) {
    if (rest >= size || (size === 1 && parts.length === 0)) {
      parts.push(`${Math.floor(rest / size)} ${name}`);
      rest %= size;
    }
  }
  return parts.slice(0, 2).join(' ');
}

/** A moment, in the time zone of who looks. */
export function clock(ms) {
  const date = new Date(ms);
  const two = n => String(n).padStart(2, '0');
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** The same with the day. */
export function moment(ms) {
  const date = new Date(ms);
  const two = n => String(n).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${clock(ms)}`;
}
