"use strict";
// Lines of methods over one axis as SVG; one of them is chosen: thick, with its points and its band.
// axes: {title, x, y (labels), from, to, ticks, most, right: the line that is right, at: a place on x to mark}.
// lines: [{row, look, chosen, points: [x, y, low, high]}]; what comes later is drawn over the others.
report.lines = (figure, axes, lines) => {
  const svg = (tag, attributes, ...children) => report.element(`svg:${tag}`, attributes, ...children);
  const [width, height] = [420, 330];
  const edge = { left: 46, right: 12, top: 12, bottom: 44 };
  const atX = (x) => edge.left + ((x - axes.from) / (axes.to - axes.from)) * (width - edge.left - edge.right);
  const atY = (y) => height - edge.bottom - (y / axes.most) * (height - edge.top - edge.bottom);
  const corners = (points) => points.map(([x, y]) => `${atX(x)},${atY(y)}`).join(" ");
  const drawing = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": axes.title });
  const write = (at, text) => drawing.append(svg("text", { "text-anchor": "middle", ...at }, text));

  for (const y of report.steps(0, axes.most, 6)) {
    drawing.append(svg("line", { class: "grid", x1: edge.left, x2: width - edge.right, y1: atY(y), y2: atY(y) }));
    write({ x: edge.left - 8, y: atY(y) + 4, "text-anchor": "end" }, String(Number(y.toPrecision(6))));
  }
  for (const x of axes.ticks) {
    drawing.append(svg("line", { class: "grid", x1: atX(x), x2: atX(x), y1: edge.top, y2: height - edge.bottom }));
    write({ x: atX(x), y: height - edge.bottom + 18 }, String(x));
  }
  write({ x: (edge.left + width - edge.right) / 2, y: height - 6 }, axes.x);
  write({ transform: `translate(12 ${(edge.top + height - edge.bottom) / 2}) rotate(-90)` }, axes.y);
  drawing.append(svg("polyline", { class: "right", points: corners(axes.right) }));
  if (axes.at !== undefined) drawing.append(svg("polyline", { class: "at", points: corners([[axes.at, 0], [axes.at, axes.most]]) }));

  for (const { row, look, chosen, points } of lines) {
    const group = svg("g", { style: look }, svg("title", {}, row.label));
    const band = chosen ? points.filter(([, , low]) => Number.isFinite(low)) : [];
    if (band.length) {
      const around = [...band.map(([x, , low]) => [x, low]), ...band.map(([x, , , high]) => [x, high]).reverse()];
      group.append(svg("polygon", { class: "band", points: corners(around) }));
    }
    group.append(svg("polyline", { class: chosen ? "series chosen" : "series", points: corners(points) }));
    if (chosen) group.append(...points.map(([x, y]) => svg("circle", { cx: atX(x), cy: atY(y), r: 3.5 })));
    drawing.append(group);
  }
  figure.replaceChildren(drawing);
};
