"use strict";
// The page of control: figures that follow the chosen method, and a slider through the apertures of a sweep:
// control.html#s=SWEEP&a=LEFT&b=RIGHT&k=APERTURE.
(() => {
  const get = (id) => document.getElementById(id);
  const { element } = report;
  const { rows, focus, sweeps } = report.control;
  const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"]; // Okabe and Ito's, as elsewhere
  const DASHES = ["none", "7 4", "2 3"];
  const drawn = rows.filter((row) => row.response.length);
  const look = (row) => {
    const number = Math.max(drawn.indexOf(row), 0);
    return `--own: ${COLOURS[number % 6]}; --dash: ${DASHES[Math.floor(number / 6) % 3]}`;
  };
  const find = (id) => rows.find((row) => row.id === id);
  const first = sweeps.length ? rows.find((row) => sweeps[0].slots[row.id]) : drawn[0];
  const state = { s: "", a: first ? first.id : "", b: "target", k: NaN };
  let kept = []; // pictures that are loaded ahead, so that the slider does not wait

  const sweep = () => sweeps.find((each) => each.name === state.s);
  const files = (key) => (sweep() && sweep().slots[key]) || [];
  const told = () => [...new Set([...files(state.a), ...files(state.b)].map(([aperture]) => aperture))].sort((p, q) => p - q);

  const source = {
    label: (key) => (key === "target" ? "Exact target" : (find(key) || { label: key }).label),
    file(key) {
      const found = files(key).find(([aperture]) => aperture === state.k);
      return found && { width: found[1], height: found[2], path: found[3] };
    },
    ratio() {
      const found = source.file(state.a) || source.file(state.b);
      return found ? found.width / found.height : 1;
    },
  };
  const zoom = report.zoom(get("stages"), () => {});
  const stages = report.stages(zoom, source);

  function figures() {
    const order = [...drawn.filter((row) => row.id !== state.a), ...drawn.filter((row) => row.id === state.a)];
    const lines = (name) => order.map((row) => ({
      row, look: look(row), chosen: row.id === state.a, points: row[name].map((line) => line.map(report.number)),
    }));
    const doses = lines("response");
    const all = doses.flatMap((line) => line.points);
    const apertures = [...new Set(all.map(([x]) => x))].sort((p, q) => p - q);
    const most = Math.max(...apertures);
    report.lines(get("dose-plot"), {
      title: "Measured against told aperture of each method", x: "aperture told, px", y: "aperture measured, px",
      from: 0, to: most, ticks: [0, ...apertures], most: 1.04 * Math.max(most, ...all.map(([, y]) => y)),
      right: [[0, 0], [most, most]], at: Number.isNaN(state.k) ? undefined : state.k,
    }, doses);
    const charts = lines("chart").filter((line) => line.points.length);
    const radii = charts.flatMap((line) => line.points.map(([, y]) => y));
    const highest = 1.05 * Math.max(...radii);
    if (!charts.length) return;
    report.lines(get("chart-plot"), {
      title: "Measured radius over the disparity of charts", x: `disparity; ${focus} is told to be in focus`,
      y: "measured blur radius, px", from: 0, to: 1, ticks: [0, 0.25, 0.5, 0.75, 1], most: highest,
      right: [[focus, 0], [focus, highest]],
    }, charts);
  }

  // What one side shows, in words: the told aperture is above it.
  function reading(key) {
    if (key === "target") return "";
    const row = find(key);
    const pair = (row.sweeps[state.s] || []).find(([aperture]) => aperture === state.k);
    if (row.why) return `${row.label}: ${row.why}.`;
    if (state.k === 0) return "";
    const value = pair ? report.number(pair[1]) : NaN;
    return Number.isNaN(value) ? `${row.label}: not measurable here.` : `${row.label}: ${value.toFixed(1)} px measured.`;
  }

  // Other pictures of the same two: only the files change, so that nothing flickers and the zoom stays.
  function turn() {
    const range = get("aperture");
    state.k = told()[range.value];
    get("told").textContent = `${state.k} px`;
    range.setAttribute("aria-valuetext", `${state.k} pixels`);
    get("measured").textContent = [state.a, state.b].map(reading).filter(Boolean).join(" ");
    const keys = [state.a, state.b];
    const images = [...get("stages").querySelectorAll("img")];
    if (images.length === 2 && keys.every(source.file) && get("stages").dataset.keys === String(keys)) {
      images.forEach((image, side) => { image.src = source.file(keys[side]).path; });
    } else {
      get("stages").replaceChildren(...stages.side(...keys));
      get("stages").dataset.keys = keys;
      zoom.apply();
    }
    figures();
  }

  function draw() {
    for (const button of document.querySelectorAll("#doses button")) {
      button.setAttribute("aria-pressed", button.closest("tr").dataset.id === state.a);
    }
    if (!sweeps.length) {
      figures();
      return;
    }
    const known = rows.filter((row) => sweep().slots[row.id]).map((row) => [row.id, row.label]);
    report.options(get("sweep"), sweeps.map(({ name }) => [name, `${name.replace("/", ", ")} in focus`]), state.s);
    report.options(get("left"), known.some(([id]) => id === state.a) ? known : [[state.a, source.label(state.a)], ...known], state.a);
    report.options(get("right"), [["target", "Exact target"], ...known], state.b);
    kept = [state.a, state.b].flatMap(files).map(([, , , path]) => Object.assign(new Image(), { src: path }));
    const apertures = told();
    get("aperture").max = apertures.length - 1;
    get("aperture").value = Math.max(apertures.indexOf(state.k), 0);
    turn();
  }

  // The address follows what is chosen, so that it can be sent; choices are no steps of the history.
  function choose(change) {
    Object.assign(state, change);
    location.replace(`#${new URLSearchParams({ s: state.s, a: state.a, b: state.b, k: state.k })}`); // "hashchange" draws
  }

  function read() {
    const hash = new URLSearchParams(location.hash.slice(1));
    const has = (key) => key === "target" || find(key);
    if (sweeps.length) state.s = sweeps.some(({ name }) => name === hash.get("s")) ? hash.get("s") : state.s || sweeps[0].name;
    if (find(hash.get("a"))) state.a = hash.get("a");
    if (has(hash.get("b"))) state.b = hash.get("b");
    const apertures = told();
    const wanted = hash.has("k") ? Number(hash.get("k")) : state.k;
    state.k = apertures.includes(wanted) ? wanted : sweeps.length ? apertures[Math.floor(apertures.length / 2)] : NaN;
    draw();
  }

  for (const line of document.querySelectorAll("#doses tbody tr")) {
    const row = find(line.dataset.id);
    if (!row.response.length && !sweeps.some(({ slots }) => slots[row.id])) continue; // nothing of it is shown
    const head = line.cells[0];
    const swatch = element("svg:svg", { class: "swatch", viewBox: "0 0 26 10", style: look(row), "aria-hidden": true },
      element("svg:line", { class: "series", x1: 0, x2: 26, y1: 5, y2: 5 }));
    const button = element("button", { type: "button" }, ...(row.response.length ? [swatch] : []), row.label);
    button.addEventListener("click", () => choose({ a: row.id }));
    head.replaceChildren(button);
  }
  get("viewer").hidden = !sweeps.length;
  get("no-pictures").hidden = Boolean(sweeps.length);
  get("sweep").addEventListener("change", () => choose({ s: get("sweep").value }));
  get("left").addEventListener("change", () => choose({ a: get("left").value }));
  get("right").addEventListener("change", () => choose({ b: get("right").value }));
  get("aperture").addEventListener("input", turn);
  get("aperture").addEventListener("change", () => choose({}));
  get("zoom-in").addEventListener("click", () => zoom.by(1.5));
  get("zoom-out").addEventListener("click", () => zoom.by(1 / 1.5));
  get("zoom-fit").addEventListener("click", zoom.fit);
  get("stages").addEventListener("keydown", (event) => {
    const act = { "+": () => zoom.by(1.5), "=": () => zoom.by(1.5), "-": () => zoom.by(1 / 1.5), 0: zoom.fit }[event.key];
    if (act && !event.ctrlKey && !event.metaKey && !event.altKey) act();
  });
  addEventListener("resize", zoom.apply);
  addEventListener("hashchange", read);
  read();
})();
