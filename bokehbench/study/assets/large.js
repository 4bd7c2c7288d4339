// The enlarged view: one photo over the whole window; the arrow keys flip between the three in place.
"use strict";

const Large = (() => {
  const NAMES = ["left", "input", "right"];
  const LABELS = { left: "Left", input: "Original", right: "Right" };
  const dialog = document.getElementById("large");
  const photo = document.getElementById("large-photo");
  let shown = 0;
  let opened = 0;

  function show(at) {
    shown = (at + NAMES.length) % NAMES.length;
    photo.src = document.getElementById(NAMES[shown]).src;
    photo.alt = `${LABELS[NAMES[shown]]} photo, enlarged`;
    document.getElementById("large-name").textContent = LABELS[NAMES[shown]];
  }

  function open(name) {
    opened += 1;
    show(NAMES.indexOf(name));
    dialog.hidden = false;
    // Real full screen where the browser allows it (never to a <dialog>); it fills the window anyway.
    if (dialog.requestFullscreen) dialog.requestFullscreen().catch(() => {});
  }

  function close() {
    if (document.fullscreenElement) document.exitFullscreen().catch(() => {});
    dialog.hidden = true;
  }

  function key(event) {
    if (event.key === "ArrowLeft") show(shown - 1);
    else if (event.key === "ArrowRight") show(shown + 1);
    else if (event.key === "Escape" || event.key === " " || event.key === "Enter") close();
    else return;
    event.preventDefault();
  }

  // Leaving full screen by the browser's own key must not leave the dialog standing.
  document.addEventListener("fullscreenchange", () => {
    if (!document.fullscreenElement) dialog.hidden = true;
  });
  dialog.addEventListener("click", close);
  for (const name of NAMES) document.getElementById(`show-${name}`).addEventListener("click", () => open(name));

  return { key, isOpen: () => !dialog.hidden, takeCount: () => ((count) => ((opened = 0), count))(opened) };
})();
