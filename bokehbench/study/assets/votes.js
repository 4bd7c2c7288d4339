// What a rater has answered: kept in this browser until it is handed in.
"use strict";

const Votes = (() => {
  const study = JSON.parse(document.getElementById("study").textContent);
  const asked = new URLSearchParams(location.search).get("n");
  const number = asked !== null && /^\d{1,6}$/.test(asked) ? Number(asked) : null;
  const place = `bokehbench-study/${study.id}/${study.version}/${number === null ? "" : number}`;

  function fresh() {
    const bytes = crypto.getRandomValues(new Uint8Array(8));
    const rater = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    return { rater, agreed: false, started: null, finished: null, undone: 0, votes: [] };
  }

  function load() {
    try {
      const state = JSON.parse(localStorage.getItem(place));
      if (state && typeof state.rater === "string" && Array.isArray(state.votes)) return state;
    } catch (error) {
      // No storage (private window) or what is there is not ours: the questionnaire works, a reload starts again.
    }
    return fresh();
  }

  let state = load();

  function save() {
    try {
      localStorage.setItem(place, JSON.stringify(state));
    } catch (error) {
      // As above.
    }
  }

  function forget() {
    state = fresh();
    save();
  }

  function file() {
    const screen = { width: innerWidth, height: innerHeight, pixel_ratio: devicePixelRatio };
    return {
      format: "bokehbench-study-votes",
      format_version: 1,
      study: study.id,
      version: study.version,
      rater: state.rater,
      number,
      started: state.started,
      finished: state.finished,
      screen,
      undone: state.undone,
      trials: Plan.plan(study, state.rater, number).length,
      votes: state.votes,
    };
  }

  save();
  return { study, number, place, file, save, forget, get state() { return state; } };
})();
