"use strict";
// A picture's page: picture.html#n=NUMBER&a=LEFT&b=RIGHT&view=VIEW.
(() => {
  const get = (id) => document.getElementById(id);
  const { element, board, overview } = report;
  const VIEWS = { slider: "slider", side: "side by side", error: "error map", all: "all" };
  const slots = board.slots.filter((slot) => slot.pictures);
  const state = { n: 0, a: "", b: "", view: "slider", at: 0.5 };
  let row = null;

  const source = {
    label: (key) => (board.slots.find((slot) => slot.key === key) || { label: key }).label,
    file(key) {
      const known = row.pictures[key];
      if (!known) return undefined;
      const [width, height, suffix] = known;
      return { width, height, path: `pictures/${overview.keys[state.n]}/${key}${suffix}` };
    },
    ratio() {
      const first = [state.b, state.a, ...slots.map((slot) => slot.key)].map(source.file).find(Boolean);
      return first ? first.width / first.height : 1.5;
    },
  };
  const zoom = report.zoom(get("stages"), (view) => {
    const image = get("stages").querySelector("img.zoomed");
    const scale = image && image.naturalWidth ? (view.scale * image.clientWidth) / image.naturalWidth : 1;
    get("zoom-value").textContent = `${Math.round(100 * scale)} %`;
  });
  const stages = report.stages(zoom, source);

  function read() {
    const hash = new URLSearchParams(location.hash.slice(1));
    const last = overview.names.length - 1;
    state.n = Math.min(Math.max(Math.trunc(Number(hash.get("n"))) || 0, 0), last);
    const has = (key) => slots.some((slot) => slot.key === key);
    const method = board.methods.find((each) => has(each.id));
    const some = slots.map((slot) => slot.key);
    const right = has(hash.get("b")) ? hash.get("b") : state.b || (method ? method.id : some[some.length - 1]);
    const left = has(hash.get("a")) ? hash.get("a") : state.a || (some[0] === right && some[1] ? some[1] : some[0]);
    Object.assign(state, { a: left, b: right, view: VIEWS[hash.get("view")] ? hash.get("view") : state.view });
  }

  // An error is against the target; where the reader chose a method on the left, that stays.
  function reference() {
    const free = state.a === "input" && state.b !== "target" && slots.some((slot) => slot.key === "target");
    return free ? "target" : state.a;
  }

  const link = (n) => `#${new URLSearchParams({ n, a: state.a || "", b: state.b || "", view: state.view })}`;

  // The address follows what is chosen, so that it can be sent; choices are no steps of the history.
  function choose(change) {
    Object.assign(state, change);
    location.replace(link(state.n)); // "hashchange" draws
  }

  async function render() {
    const wanted = state.n;
    const rows = await report.chunk(Math.floor(wanted / board.chunk));
    if (wanted !== state.n) return; // another picture was asked for meanwhile
    row = rows[wanted % board.chunk];
    const name = overview.names[wanted];
    document.title = `${name} · ${board.title}`;
    get("name").textContent = name;
    get("number").value = wanted + 1;
    step("previous", wanted - 1);
    step("next", wanted + 1);
    scores();
    if (slots.length) draw();
    document.body.dataset.shown = wanted;
  }

  function step(id, n) {
    const there = n >= 0 && n < overview.names.length;
    get(id).setAttribute("aria-disabled", !there);
    get(id).href = there ? link(n) : link(state.n);
  }

  function draw() {
    get("left").value = state.a;
    get("right").value = state.b;
    for (const radio of document.querySelectorAll("#modes input")) radio.checked = radio.value === state.view;
    get("viewer").dataset.view = state.view;
    const made = {
      slider: () => stages.slider(state.a, state.b, state.at, (at) => { state.at = at; }),
      side: () => stages.side(state.a, state.b),
      error: () => stages.error(state.a, state.b),
      all: () => stages.all(slots.map((slot) => slot.key)),
    }[state.view]();
    get("stages").className = state.view;
    get("stages").replaceChildren(...made);
    gain();
    zoom.apply();
    const shown = state.view === "all" ? slots.map((slot) => slot.key) : [state.a, state.b];
    const files = shown.map(source.file).filter(Boolean);
    const sizes = new Set(files.map((file) => `${file.width} × ${file.height}`));
    const text = [...sizes].join(", ");
    get("viewer-note").textContent = sizes.size > 1 ? `Sizes differ (${text}): stretched to one.` : text && `${text} px`;
  }

  function gain() {
    const factor = 2 ** Number(get("gain").value);
    get("stages").style.setProperty("--gain", factor);
    get("gain-value").textContent = `× ${Number(factor.toPrecision(2))}`;
  }

  function scores() {
    const values = board.methods.map((method) => row.scores[method.id].map(report.number));
    const best = board.columns.map((column, at) => Math.max(...values.map((line) => report.goodness(column, line[at]))));
    const heads = board.columns.map((column) => {
      const first = column.better === "higher" ? "descending" : "ascending";
      return element("th", { class: "number", "data-first": first }, element("span", {}, column.label));
    });
    const lines = board.methods.map((method, line) => element("tr", {},
      element("th", { scope: "row", "data-sort": method.label }, method.label),
      ...board.columns.map((column, at) => {
        const value = values[line][at];
        const top = board.methods.length > 1 && report.goodness(column, value) === best[at] && !Number.isNaN(value);
        const sort = Number.isNaN(value) ? "" : ["zero", "one"].includes(column.better) ? -report.goodness(column, value) : value;
        const kind = top ? "number best" : "number";
        return element("td", { class: kind, "data-sort": sort }, report.show(value, column.decimals));
      })));
    get("scores").replaceChildren(
      element("thead", {}, element("tr", {}, element("th", { class: "stay" }, element("span", {}, "method")), ...heads)),
      element("tbody", {}, ...lines),
    );
    report.sortable(get("scores"));
  }

  function start() {
    get("count").textContent = overview.names.length;
    get("number").max = overview.names.length;
    get("number").addEventListener("change", () => {
      location.hash = link(Number(get("number").value) - 1 || 0);
    });
    get("viewer").hidden = !slots.length;
    get("no-pictures").hidden = Boolean(slots.length);
    const pairs = slots.map((slot) => [slot.key, slot.label]);
    for (const [id, side] of [["left", "a"], ["right", "b"]]) {
      report.options(get(id), pairs);
      get(id).addEventListener("change", () => choose({ [side]: get(id).value }));
    }
    get("swap").addEventListener("click", () => choose({ a: state.b, b: state.a }));
    for (const [view, label] of Object.entries(VIEWS)) {
      const radio = element("input", { type: "radio", name: "view", value: view });
      radio.addEventListener("change", () => choose(view === "error" ? { view, a: reference() } : { view }));
      const button = element("label", {}, radio, element("span", {}, label));
      // After a mouse chose a view (detail: clicks), arrow keys go to other pictures again, not to other views
      button.addEventListener("click", (event) => event.detail && setTimeout(() => radio.blur()));
      get("modes").append(button);
    }
    get("gain").addEventListener("input", gain);
    get("zoom-in").addEventListener("click", () => zoom.by(1.5));
    get("zoom-out").addEventListener("click", () => zoom.by(1 / 1.5));
    get("zoom-fit").addEventListener("click", zoom.fit);
    get("zoom-one").addEventListener("click", () => {
      const image = get("stages").querySelector("img.zoomed");
      if (image) zoom.by(image.naturalWidth / image.clientWidth / devicePixelRatio / zoom.view.scale);
    });
    for (const id of ["previous", "next"]) {
      get(id).addEventListener("click", (event) => get(id).getAttribute("aria-disabled") === "true" && event.preventDefault());
    }
    addEventListener("keydown", keys);
    addEventListener("resize", () => slots.length && zoom.apply());
    addEventListener("hashchange", () => { read(); render(); });
    read();
    render();
  }

  function keys(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || /INPUT|SELECT/.test(event.target.tagName)) return;
    const act = {
      ArrowLeft: () => get("previous").click(),
      ArrowRight: () => get("next").click(),
      "+": () => zoom.by(1.5),
      "=": () => zoom.by(1.5),
      "-": () => zoom.by(1 / 1.5),
      0: zoom.fit,
    }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }

  if (overview.names.length) start();
})();
