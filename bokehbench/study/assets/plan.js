// Which pairs a rater sees, in which order and on which side: a pure function of study, rater and number.
"use strict";

const Plan = (() => {
  // FNV-1a, then a final mix: similar identities must not get similar questionnaires.
  function hash(text) {
    let value = 0x811c9dc5;
    for (const character of text) value = Math.imul(value ^ character.codePointAt(0), 0x01000193);
    value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
    value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
    return (value ^ (value >>> 16)) >>> 0;
  }

  // mulberry32: numbers in [0, 1), the same in every browser, which Math.random is not.
  function generator(text) {
    let state = hash(text);
    return () => {
      state = (state + 0x6d2b79f5) | 0;
      let value = Math.imul(state ^ (state >>> 15), 1 | state);
      value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
      return ((value ^ (value >>> 14)) >>> 0) / 4294967296;
    };
  }

  function below(random, count) {
    return Math.floor(random() * count);
  }

  function shuffled(items, random) {
    const copy = items.slice();
    for (let last = copy.length - 1; last > 0; last--) {
      const other = below(random, last + 1);
      [copy[last], copy[other]] = [copy[other], copy[last]];
    }
    return copy;
  }

  function gcd(a, b) {
    return b ? gcd(b, a % b) : a;
  }

  // All (method pair, picture) cells once, in an order of which every stretch has pairs and pictures equally often.
  function cells(study) {
    const random = generator(`${study.id}/${study.seed}/cells`);
    const methods = study.pictures[0].results.length;
    let pairs = [];
    for (let one = 0; one < methods; one++) for (let two = one + 1; two < methods; two++) pairs.push([one, two]);
    pairs = shuffled(pairs, random);
    const pictures = shuffled(study.pictures.map((_, index) => index), random);
    const round = (pairs.length * pictures.length) / gcd(pairs.length, pictures.length);
    return Array.from({ length: pairs.length * pictures.length }, (_, at) => ({
      pair: at % pairs.length,
      methods: pairs[at % pairs.length],
      // The shift: without it the walk would repeat itself where the two numbers have a common divisor.
      picture: pictures[(at + Math.floor(at / round)) % pictures.length],
    }));
  }

  // Raters with consecutive numbers get consecutive stretches; without a number the stretch is drawn.
  function stretch(study, all, rater, number) {
    const length = Math.min(study.perRater, all.length);
    const start = ((number === null ? hash(`${study.id}/${rater}/start`) : number) * length) % all.length;
    return Array.from({ length }, (_, at) => all[(start + at) % all.length]);
  }

  // Left and right in turn for every pair of methods, so that a liking for one side favours nobody.
  function sided(study, chosen, random) {
    const swap = new Map();
    return shuffled(chosen, random).map((cell) => {
      if (!swap.has(cell.pair)) swap.set(cell.pair, random() < 0.5);
      const swapped = swap.get(cell.pair);
      swap.set(cell.pair, !swapped);
      const results = study.pictures[cell.picture].results;
      const [left, right] = swapped ? [cell.methods[1], cell.methods[0]] : cell.methods;
      return { kind: "pair", picture: cell.picture, left: results[left], right: results[right] };
    });
  }

  function neighbours(trials) {
    return trials.filter((trial, at) => at > 0 && trial.picture === trials[at - 1].picture).length;
  }

  // The same picture twice in a row invites comparing with the last pair: the best of some orders has fewest of those.
  function apart(trials, random) {
    let best = trials;
    for (let attempt = 0; attempt < 60 && neighbours(best) > 0; attempt++) {
      const other = shuffled(trials, random);
      if (neighbours(other) < neighbours(best)) best = other;
    }
    return best;
  }

  function catches(study, random) {
    return shuffled(study.damaged, random)
      .slice(0, study.catches)
      .map((each) => {
        const [left, right] = random() < 0.5 ? [each.bad, each.good] : [each.good, each.bad];
        return { kind: "catch", picture: each.picture, left, right };
      });
  }

  function insert(trials, extra, from, random) {
    trials.splice(from + below(random, trials.length - from + 1), 0, extra);
  }

  function plan(study, rater, number) {
    const random = generator(`${study.id}/${study.seed}/${rater}/${number}`);
    const trials = apart(sided(study, stretch(study, cells(study), rater, number), random), random);
    const early = shuffled(trials.slice(0, Math.ceil(trials.length / 2)), random).slice(0, study.repeats);
    for (const each of catches(study, random)) insert(trials, each, Math.min(1, trials.length), random);
    const late = Math.ceil(trials.length * 0.75);
    for (const each of early) {
      insert(trials, { kind: "repeat", picture: each.picture, left: each.right, right: each.left }, late, random);
    }
    return trials;
  }

  return { plan, cells };
})();
