"use strict";
// The ways to look at a scene: one function per view, each returns the elements of its stages.
report.stages = (zoom, source) => {
  const { element } = report;

  // A picture that fills its stage, or words where there is none.
  function pane(key) {
    const found = source.file(key);
    if (!found) return element("div", { class: "pane missing" }, `no picture of ${source.label(key)}`);
    const image = element("img", { class: "zoomed", src: found.path, alt: source.label(key), draggable: "false" });
    image.addEventListener("load", zoom.apply);
    return element("div", { class: "pane" }, image);
  }

  function stage(kind, ...children) {
    const label = "Picture: + and − zoom, 0 shows all";
    const made = element("div", { class: `stage ${kind}`, tabindex: 0, role: "group", "aria-label": label }, ...children);
    made.style.setProperty("--ratio", source.ratio());
    zoom.watch(made);
    return made;
  }

  const caption = (side, text) => element("span", { class: `caption ${side}` }, text);

  return {
    slider(a, b, share, moved) {
      const divider = element("div", {
        class: "divider", role: "slider", tabindex: 0, "aria-label": "Divider between left and right",
        "aria-valuemin": 0, "aria-valuemax": 100,
      }, element("span", { class: "grip" }, "‹ ›"));
      const left = pane(a);
      left.classList.add("left");
      const captions = [caption("left", source.label(a)), caption("right", source.label(b))];
      const made = stage("slider", pane(b), left, ...captions, divider);
      const set = (to) => {
        const at = Math.min(Math.max(to, 0), 1);
        made.style.setProperty("--at", `${100 * at}%`);
        divider.setAttribute("aria-valuenow", Math.round(100 * at));
        moved(at);
        share = at;
      };
      const follow = (event) => {
        const box = made.getBoundingClientRect();
        set((event.clientX - box.left) / box.width);
      };
      let held = false;
      made.addEventListener("pointerdown", (event) => {
        const taken = divider.contains(event.target);
        held = !event.button && !zoom.touched() && (taken || zoom.view.scale === 1); // a second finger zooms
        if (!held) return;
        if (taken) {
          event.stopPropagation(); // the divider moves, the picture stays
          divider.setPointerCapture(event.pointerId);
        }
        follow(event);
      }, true);
      made.addEventListener("pointermove", (event) => held && follow(event));
      for (const end of ["pointerup", "pointercancel"]) made.addEventListener(end, () => { held = false; });
      divider.addEventListener("keydown", (event) => {
        const step = event.shiftKey ? 0.1 : 0.01;
        const to = { ArrowLeft: share - step, ArrowRight: share + step, Home: 0, End: 1 }[event.key];
        if (to === undefined) return;
        event.preventDefault();
        event.stopPropagation();
        set(to);
      });
      set(share);
      return [made];
    },

    side(a, b) {
      return [a, b].map((key) => stage("half", pane(key), caption("left", source.label(key))));
    },

    // |left - right| x gain by blending: a canvas may not read pictures from disk.
    error(a, b) {
      const missing = [a, b].filter((key) => !source.file(key));
      const panes = missing.length ? [pane(missing[0])] : [pane(a), pane(b)];
      const text = `|${source.label(a)} − ${source.label(b)}| × gain`;
      const map = element("div", { class: missing.length ? "" : "difference" }, ...panes);
      return [stage("error", map, caption("left", text))];
    },

    all(keys) {
      return keys.map((key) => stage("tile", pane(key), caption("left", source.label(key))));
    },
  };
};
