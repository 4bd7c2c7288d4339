"use strict";
// Starts what the board's page has.
(() => {
  const get = (id) => document.getElementById(id);

  if (get("plot")) {
    const { columns, costs, methods } = report.board;
    const known = costs.filter((cost) => methods.some((method) => method.costs[cost.name] > 0));
    const [score, cost] = [get("plot-score"), get("plot-cost")];
    report.options(score, columns.map((each) => [each.name, each.label]), report.board.rankBy);
    report.options(cost, known.map((each) => [each.name, each.label]));
    const draw = () => {
      const find = (list, select) => list.find((each) => each.name === select.value);
      report.plot(get("plot"), get("plot-note"), find(columns, score), find(costs, cost));
    };
    for (const select of [score, cost]) select.addEventListener("change", draw);
    let width = 0;
    new ResizeObserver(() => {
      if (get("plot").clientWidth !== width) draw();
      width = get("plot").clientWidth;
    }).observe(get("plot"));
  }

  if (get("grid")) {
    const names = ["filter", "method", "against", "order", "shown"];
    report.grid(get("grid"), get("pager"), Object.fromEntries(names.map((name) => [name, get(`grid-${name}`)])));
  }

  // A link to a row's provenance opens it.
  const open = () => {
    const target = location.hash.length > 1 && get(decodeURIComponent(location.hash.slice(1)));
    if (target && target.tagName === "DETAILS") target.open = true;
  };
  addEventListener("hashchange", open);
  open();
})();
