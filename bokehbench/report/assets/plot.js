"use strict";
// Quality against cost as SVG: the cost on a logarithmic axis, bars are 95 % intervals, the line joins the methods
// that no other beats in both.
report.plot = (figure, note, column, cost) => {
  const svg = (tag, attributes, ...children) => report.element(`svg:${tag}`, attributes, ...children);
  const compact = figure.clientWidth < 560;
  const [width, height] = compact ? [420, 360] : [860, 420];
  const edge = { left: 58, right: compact ? 16 : 30, top: 16, bottom: 48 };
  const methods = report.board.methods.filter((method) => method.means[column.name]);
  const points = methods
    .map((method) => ({ method, x: method.costs[cost.name], mean: method.means[column.name].map(report.number) }))
    .filter((point) => point.x > 0 && Number.isFinite(point.mean[0]));
  const without = methods.filter((method) => !points.some((point) => point.method === method));
  note.textContent = [
    points.length ? "Bars: 95 % intervals. Line: methods that no other beats in both; hollow: not ranked." : "",
    without.length ? `No ${cost.label} above 0 is known of ${without.map((method) => method.label).join(", ")}.` : "",
  ].filter(Boolean).join(" ");
  if (!points.length) {
    figure.replaceChildren();
    return;
  }

  const [low, high] = range(points.flatMap((point) => point.mean.filter(Number.isFinite)), 0.08);
  const [least, most] = range(points.map((point) => Math.log10(point.x)), 0.12, 0.15);
  const atX = (x) => edge.left + ((Math.log10(x) - least) / (most - least)) * (width - edge.left - edge.right);
  const atY = (y) => height - edge.bottom - ((y - low) / (high - low)) * (height - edge.top - edge.bottom);
  const title = `${column.label} against ${cost.label}`;
  const drawing = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "group", "aria-label": title });
  const write = (kind, at, text) => drawing.append(svg("text", { class: kind, ...at }, text));
  const middle = { "text-anchor": "middle" };

  for (const y of report.steps(low, high, 6)) {
    drawing.append(svg("line", { class: "grid", x1: edge.left, x2: width - edge.right, y1: atY(y), y2: atY(y) }));
    write("tick", { x: edge.left - 8, y: atY(y) + 4, "text-anchor": "end" }, String(Number(y.toPrecision(6))));
  }
  for (const x of decades(least, most)) {
    drawing.append(svg("line", { class: "grid", x1: atX(x), x2: atX(x), y1: edge.top, y2: height - edge.bottom }));
    write("tick", { x: atX(x), y: height - edge.bottom + 18, ...middle }, String(Number(x.toPrecision(2))));
  }
  write("axis", { x: (edge.left + width - edge.right) / 2, y: height - 8, ...middle }, `${cost.label}, logarithmic`);
  const turned = `translate(14 ${(edge.top + height - edge.bottom) / 2}) rotate(-90)`;
  write("axis", { transform: turned, ...middle }, column.label);

  const front = points
    .filter((p) => p.method.rank && !points.some((q) => q !== p && q.method.rank && beats(q, p)))
    .sort((p, q) => p.x - q.x);
  const corners = front.map((p) => `${atX(p.x)},${atY(p.mean[0])}`).join(" ");
  drawing.append(svg("polyline", { class: "front", points: corners }));
  const tip = report.element("div", { class: "tip", hidden: true });
  const taken = points.map((point) => box(atX(point.x) - 7, atX(point.x) + 7, atY(point.mean[0])));
  for (const point of points.sort((p, q) => atY(p.mean[0]) - atY(q.mean[0]))) drawing.append(mark(point));
  figure.replaceChildren(drawing, tip);

  function beats(q, p) {
    const [a, b] = [q, p].map((each) => report.goodness(column, each.mean[0]));
    return q.x <= p.x && a >= b && (q.x < p.x || a > b);
  }

  function mark(point) {
    const [x, y] = [atX(point.x), atY(point.mean[0])];
    const [mean, from, to] = point.mean.map((value) => report.show(value, column.decimals));
    const quality = `${column.label} ${mean} [${from}, ${to}]`;
    const price = `${cost.label} ${Number(point.x.toPrecision(3))}`;
    const group = svg("g", {
      class: point.method.rank ? "point" : "point unranked",
      tabindex: 0,
      role: "img",
      "aria-label": `${point.method.label}: ${quality}, ${price}`,
    });
    if (Number.isFinite(point.mean[1])) {
      group.append(svg("line", { class: "bar", x1: x, x2: x, y1: atY(point.mean[1]), y2: atY(point.mean[2]) }));
    }
    group.append(svg("circle", { class: "halo", cx: x, cy: y, r: 14 }), svg("circle", { cx: x, cy: y, r: 5.5 }));
    group.append(...label(point, x, y));
    const lines = [point.method.label, quality, price, point.method.device];
    const show = () => {
      tip.replaceChildren(...lines.filter(Boolean).map((line, row) => report.element(row ? "div" : "b", {}, line)));
      tip.hidden = false;
      const scale = figure.clientWidth / width;
      tip.style.left = `${Math.min(x * scale + 14, figure.clientWidth - tip.offsetWidth - 4)}px`;
      tip.style.top = `${y * scale + 14}px`;
    };
    for (const event of ["pointerenter", "focus"]) group.addEventListener(event, show);
    for (const event of ["pointerleave", "blur"]) group.addEventListener(event, () => { tip.hidden = true; });
    return group;
  }

  function box(from, to, y) {
    return { from, to, top: y - 7, bottom: y + 7 };
  }

  // The name beside its point: above or below, right or left, where nothing else is; else further away, with a line.
  function label(point, x, y) {
    const name = point.method.label;
    const wide = name.length * 7.5;
    const at = (right, down) => {
      const from = right ? x + 9 : x - 9 - wide;
      return { right, y: y + down, ...box(from, from + wide, y + down - 4) };
    };
    const free = (one) => one.to < width && one.from > edge.left
      && !taken.some((t) => t.from < one.to && t.to > one.from && t.top < one.bottom && t.bottom > one.top);
    const tries = [-8, 18, 5, 32, -22, 46, -36, 60, -50, 74].flatMap((down) => [at(true, down), at(false, down)]);
    const found = tries.find(free) || tries[0];
    taken.push(found);
    const anchor = found.right ? { x: x + 9, "text-anchor": "start" } : { x: x - 9, "text-anchor": "end" };
    const text = svg("text", { class: "label", y: found.y, ...anchor }, name);
    if (Math.abs(found.y - y) <= 18) return [text];
    return [svg("line", { class: "leader", x1: x, y1: y, x2: anchor.x, y2: found.y - 4 }), text];
  }

  function range(values, margin, least = 0) {
    const [from, to] = [Math.min(...values), Math.max(...values)];
    const room = Math.max((to - from) * margin, least, from === to ? Math.abs(from) * 0.05 || 1 : 0);
    return [from - room, to + room];
  }

  // 1, 10, 100 ...; with 2 and 5 between where the axis is short.
  function decades(from, to) {
    const found = [];
    const factors = to - from > 2.5 ? [1] : [1, 2, 5];
    for (let power = Math.floor(from); power <= to; power += 1) {
      for (const factor of factors) found.push(factor * 10 ** power);
    }
    return found.filter((x) => Math.log10(x) >= from && Math.log10(x) <= to);
  }
};
