// The questionnaire: welcome, one pair after the other, thanks.
"use strict";

(() => {
  const study = Votes.study;
  const element = (id) => document.getElementById(id);
  const SIDES = ["left", "input", "right"];
  //: A pair counts as seen after this many milliseconds: a key held down must not answer the next one.
  const SETTLE = 250;
  let trials = [];
  let shown = null; // when the present pair was seen, or null while it loads

  const address = (name) => `pictures/${name}${study.suffix}`;
  const files = (trial) => ({ left: trial.left, input: study.pictures[trial.picture].input, right: trial.right });

  function visit(name) {
    for (const id of ["welcome", "trial", "thanks"]) element(id).hidden = id !== name;
  }

  function paragraphs(parent, texts) {
    parent.replaceChildren(
      ...texts.map((text) => Object.assign(document.createElement("p"), { textContent: text })),
    );
  }

  function route() {
    trials = Plan.plan(study, Votes.state.rater, Votes.number);
    if (!Votes.state.agreed) return visit("welcome");
    if (Votes.state.votes.length >= trials.length) return thank();
    visit("trial");
    return ask();
  }

  // Results at the same, largest size: the original between them, or below them where that leaves more room.
  function fit() {
    if (element("trial").hidden || shown === null) return;
    const picture = study.pictures[trials[Votes.state.votes.length].picture];
    const shape = picture.width / picture.height;
    const gap = 16;
    const caption = 26;
    const width = element("stage").clientWidth;
    const height = Math.max(200, innerHeight - element("stage").offsetTop - 112);
    const part = 0.5;
    const beside = Math.min((width - 2 * gap) / (2 + part), (height - caption) * shape);
    const below = Math.min((width - gap) / 2, ((height - 2 * caption - gap) / (1 + part)) * shape);
    const stacked = below > beside;
    const size = Math.max(80, Math.floor(stacked ? below : beside));
    element("stage").classList.toggle("stacked", stacked);
    for (const side of SIDES) {
      const wide = side === "input" ? Math.round(size * part) : size;
      Object.assign(element(side).style, { width: `${wide}px`, height: `${Math.round(wide / shape)}px` });
    }
  }

  async function load(image, source) {
    image.src = source;
    await image.decode();
  }

  async function ask() {
    const at = Votes.state.votes.length;
    const trial = trials[at];
    shown = null;
    element("stage").classList.add("loading");
    element("trouble").hidden = true;
    element("progress").textContent = `Pair ${at + 1} of ${trials.length}`;
    element("bar").style.width = `${(100 * at) / trials.length}%`;
    element("undo").disabled = at === 0;
    const names = files(trial);
    try {
      await Promise.all(SIDES.map((side) => load(element(side), address(names[side]))));
    } catch (error) {
      if (trials[Votes.state.votes.length] !== trial) return;
      element("trouble").textContent = "A photo could not be loaded. Check your connection, then reload this page: your answers are kept.";
      element("trouble").hidden = false;
      return;
    }
    if (trials[Votes.state.votes.length] !== trial) return;
    shown = performance.now();
    Large.takeCount();
    fit();
    element("stage").classList.remove("loading");
    const next = trials[at + 1];
    // Fetched and decoded while the rater looks, so that the next pair appears at once.
    if (next) for (const name of Object.values(files(next))) load(new Image(), address(name)).catch(() => {});
  }

  function choose(choice) {
    if (element("trial").hidden || shown === null || performance.now() - shown < SETTLE) return;
    const at = Votes.state.votes.length;
    const trial = trials[at];
    Votes.state.votes.push({
      trial: at,
      kind: trial.kind,
      picture: study.pictures[trial.picture].input,
      left: trial.left,
      right: trial.right,
      choice,
      seconds: Math.round(performance.now() - shown) / 1000,
      enlarged: Large.takeCount(),
    });
    if (Votes.state.votes.length >= trials.length) Votes.state.finished = new Date().toISOString();
    Votes.save();
    route();
  }

  function undo() {
    if (element("trial").hidden || !Votes.state.votes.length) return;
    Votes.state.votes.pop();
    Votes.state.undone += 1;
    Votes.save();
    route();
  }

  function thank() {
    visit("thanks");
    element("count").textContent = String(trials.length);
    element("contact").textContent = study.contact;
    element("text").value = JSON.stringify(Votes.file());
  }

  function download() {
    const blob = new Blob([JSON.stringify(Votes.file(), null, 1)], { type: "application/json" });
    const link = Object.assign(document.createElement("a"), {
      href: URL.createObjectURL(blob),
      download: `votes-${study.id}-${Votes.state.rater}.json`,
    });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  }

  async function copy() {
    const text = element("text");
    text.select();
    let done = false;
    try {
      await navigator.clipboard.writeText(text.value);
      done = true;
    } catch (error) {
      done = document.execCommand("copy"); // the older way, where the clipboard is not open to pages from disk
    }
    element("copied").textContent = done ? "Copied." : "Select the text and copy it.";
  }

  function key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (Large.isOpen()) return void Large.key(event);
    const meaning = { ArrowLeft: "left", ArrowRight: "right", ArrowDown: "none" }[event.key];
    if (element("trial").hidden || (!meaning && event.key !== "Backspace")) return;
    event.preventDefault();
    if (event.repeat) return;
    if (meaning) choose(meaning);
    else undo();
  }

  paragraphs(element("instructions"), study.instructions);
  paragraphs(element("consent"), study.consent);
  element("question").textContent = study.question;
  element("agree").checked = false; // browsers keep ticks over a reload
  element("agree").addEventListener("change", (event) => (element("begin").disabled = !event.target.checked));
  element("begin").addEventListener("click", () => {
    Object.assign(Votes.state, { agreed: true, started: new Date().toISOString() });
    Votes.save();
    route();
  });
  for (const choice of ["left", "none", "right"]) {
    element(`choose-${choice}`).addEventListener("click", () => choose(choice));
  }
  element("undo").addEventListener("click", undo);
  element("download").addEventListener("click", download);
  element("copy").addEventListener("click", copy);
  element("again").addEventListener("click", () => {
    if (!confirm("Have the answers been downloaded or copied? They are deleted from this browser now.")) return;
    Votes.forget();
    element("agree").checked = false;
    element("begin").disabled = true;
    route();
  });
  document.addEventListener("keydown", key);
  addEventListener("resize", fit);
  // Another tab of this rater has answered: go on where it is, so that neither writes over the other's votes.
  addEventListener("storage", (event) => {
    if (event.key === Votes.place) location.reload();
  });
  route();
})();
