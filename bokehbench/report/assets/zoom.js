"use strict";
// One zoom for all stages on the page: the same part of the scene shows in each. Wheel, pinch, drag, buttons.
report.zoom = (root, changed) => {
  const MOST = 64;
  const view = { scale: 1, x: 0, y: 0 }; // x, y: the left upper corner of what shows, as a share of the picture
  const fingers = new Map();

  function set(scale, x, y) {
    view.scale = Math.min(Math.max(scale, 1), MOST);
    const room = 1 - 1 / view.scale;
    view.x = Math.min(Math.max(x, 0), room);
    view.y = Math.min(Math.max(y, 0), room);
    apply();
  }

  function apply() {
    const move = `translate(${-100 * view.x * view.scale}%, ${-100 * view.y * view.scale}%) scale(${view.scale})`;
    for (const image of root.querySelectorAll("img.zoomed")) {
      image.style.transform = move;
      // Above three screen pixels per picture pixel people want to see the pixels.
      const width = view.scale * image.clientWidth * devicePixelRatio;
      image.classList.toggle("pixels", width > 3 * (image.naturalWidth || Infinity));
    }
    root.classList.toggle("near", view.scale > 1);
    changed(view);
  }

  // Zoom by ``factor`` and keep the point (px, py), shares of the stage, where it is.
  function by(factor, px = 0.5, py = 0.5) {
    const scale = Math.min(Math.max(view.scale * factor, 1), MOST);
    set(scale, view.x + px / view.scale - px / scale, view.y + py / view.scale - py / scale);
  }

  function share(event, stage) {
    const box = stage.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  }

  function watch(stage) {
    fingers.clear(); // those on stages that are gone
    stage.addEventListener("wheel", (event) => {
      event.preventDefault();
      const turned = Math.max(-100, Math.min(event.deltaY, 100)); // mice and touchpads differ a lot
      by(Math.exp(-0.003 * turned), ...share(event, stage));
    }, { passive: false });
    stage.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      fingers.set(event.pointerId, share(event, stage));
      stage.setPointerCapture(event.pointerId);
    });
    stage.addEventListener("pointermove", (event) => {
      const before = fingers.get(event.pointerId);
      if (!before) return;
      const now = share(event, stage);
      const [right, down] = [now[0] - before[0], now[1] - before[1]];
      if (fingers.size === 2) pinch(event.pointerId, before, now);
      else if (view.scale > 1) set(view.scale, view.x - right / view.scale, view.y - down / view.scale);
      fingers.set(event.pointerId, now);
    });
    const lift = (event) => fingers.delete(event.pointerId);
    for (const end of ["pointerup", "pointercancel"]) stage.addEventListener(end, lift);
  }

  function pinch(moving, before, now) {
    const [, other] = [...fingers].find(([id]) => id !== moving);
    const apart = (a) => Math.hypot(a[0] - other[0], a[1] - other[1]);
    if (apart(before) > 0.01) by(apart(now) / apart(before), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
  }

  return { view, by, set, apply, watch, fit: () => set(1, 0, 0), touched: () => fingers.size > 0 };
};
