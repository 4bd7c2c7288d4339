"use strict";
// What all pages share. Classic scripts and data in scripts: modules and fetch() do not work from disk.
const report = {
  chunks: new Map(),
  waiting: new Map(),

  // Data files call this: {board}, {overview} or {chunk: [number, rows]}.
  give(part) {
    if (part.chunk) {
      const [number, rows] = part.chunk;
      report.chunks.set(number, rows);
    } else Object.assign(report, part);
  },

  // The rows of one data file; reads it where it was not read before.
  chunk(number) {
    if (report.chunks.has(number)) return Promise.resolve(report.chunks.get(number));
    if (!report.waiting.has(number)) {
      report.waiting.set(number, new Promise((done, fail) => {
        const script = document.createElement("script");
        script.src = `data/pictures-${String(number).padStart(4, "0")}.js`;
        script.onload = () => done(report.chunks.get(number));
        script.onerror = () => fail(new Error(`${script.src} is missing: the report's folder is not whole`));
        document.head.append(script);
      }));
    }
    return report.waiting.get(number);
  },

  // Numbers as stored: NaN is null, infinities are "inf" and "-inf".
  number(value) {
    if (value === null || value === undefined) return NaN;
    return value === "inf" ? Infinity : value === "-inf" ? -Infinity : value;
  },

  show(value, decimals, signed = false) {
    if (Number.isNaN(value)) return "n/a";
    if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
    const text = value.toFixed(decimals);
    const plain = Number(text) === 0 ? text.replace("-", "") : text;
    return signed && Number(plain) > 0 ? `+${plain}` : plain;
  },

  // Larger is better, whatever the column.
  goodness(column, value) {
    if (Number.isNaN(value)) return -Infinity;
    if (column.better === "higher") return value;
    return column.better === "lower" ? -value : -Math.abs(value - (column.better === "one" ? 1 : 0));
  },

  ranking() {
    return report.board.columns.find((column) => column.name === report.board.rankBy);
  },

  // At most ``count`` round numbers along an axis.
  steps(from, to, count) {
    const rough = (to - from) / count;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((factor) => factor * power).find((one) => one >= rough);
    const found = [];
    for (let n = Math.ceil(from / step); n * step <= to; n += 1) found.push(n * step);
    return found;
  },

  // An element: attributes by name, text and elements as children. Text is never read as HTML.
  element(tag, attributes = {}, ...children) {
    const made = tag.startsWith("svg:")
      ? document.createElementNS("http://www.w3.org/2000/svg", tag.slice(4))
      : document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (value !== false && value !== undefined) made.setAttribute(name, value === true ? "" : value);
    }
    made.append(...children.filter((child) => child !== null && child !== undefined));
    return made;
  },

  // Fill a <select> with [value, label] and choose one.
  options(select, pairs, chosen) {
    select.replaceChildren(...pairs.map(([value, label]) => report.element("option", { value }, label)));
    if (pairs.some(([value]) => value === chosen)) select.value = chosen;
  },
};
