"use strict";
// All pictures, a page at a time: thousands of them cost no more than sixty.
report.grid = (place, pager, controls) => {
  const SIZE = 60;
  const { names, keys, thumbnails, scores } = report.overview;
  const column = report.ranking();
  const methods = report.board.methods;
  const pairs = methods.map((method) => [method.id, method.label]);
  report.options(controls.method, pairs, methods[0].id);
  report.options(controls.against, [["", "nothing"], ...pairs], "");
  report.options(controls.order, [["name", "by name"], ["up", "low to high"], ["down", "high to low"]], "name");
  const partly = thumbnails.includes(0) && thumbnails.includes(1);
  controls.shown.checked = partly;
  controls.shown.parentElement.hidden = !partly;
  const bare = place.classList.contains("bare");
  let order = [];
  let page = 0;

  function value(number) {
    const [one, other] = [controls.method.value, controls.against.value];
    const score = report.number(scores[one][number]);
    return other ? score - report.number(scores[other][number]) : score;
  }

  function arrange() {
    const wanted = controls.filter.value.trim().toLowerCase();
    order = names
      .map((_, number) => number)
      .filter((number) => names[number].toLowerCase().includes(wanted) && (thumbnails[number] || !controls.shown.checked));
    const sign = { up: 1, down: -1 }[controls.order.value];
    if (sign) {
      const known = new Map(order.map((number) => [number, value(number)]));
      order.sort((a, b) => {
        const [x, y] = [known.get(a), known.get(b)];
        if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) - Number.isNaN(y);
        return x === y ? a - b : sign * (x < y ? -1 : 1);
      });
    }
    turn(0);
  }

  function turn(to) {
    const pages = Math.max(1, Math.ceil(order.length / SIZE));
    page = Math.min(Math.max(to, 0), pages - 1);
    place.replaceChildren(...order.slice(page * SIZE, (page + 1) * SIZE).map(card));
    if (!order.length) place.append(report.element("p", { class: "note" }, "No picture has such a name."));
    const button = (text, target) => {
      const made = report.element("button", { type: "button", disabled: target < 0 || target >= pages }, text);
      made.addEventListener("click", () => turn(target));
      return made;
    };
    const at = report.element("input", { type: "number", min: 1, max: pages, value: page + 1, "aria-label": "Page" });
    at.addEventListener("change", () => turn(Number(at.value) - 1 || 0));
    const total = ` of ${pages} · ${order.length} picture${order.length === 1 ? "" : "s"}`;
    const label = report.element("label", {}, "page ", at, total);
    pager.replaceChildren(button("‹ previous", page - 1), label, button("next ›", page + 1));
  }

  function card(number) {
    const against = controls.against.value;
    const hash = new URLSearchParams({ n: number, b: controls.method.value });
    if (against) hash.set("a", against);
    const image = thumbnails[number]
      ? report.element("img", { src: `thumbnails/${keys[number]}.jpg`, alt: "", loading: "lazy", decoding: "async" })
      : bare ? null : report.element("span", { class: "empty", "aria-hidden": true }, "no picture");
    return report.element(
      "a",
      { href: `picture.html#${hash}`, title: names[number] },
      image,
      report.element("span", { class: "name" }, names[number]),
      report.element("span", { class: "value" }, report.show(value(number), column.decimals, Boolean(against))),
    );
  }

  for (const name of ["method", "against", "order", "shown"]) controls[name].addEventListener("change", arrange);
  controls.filter.addEventListener("input", arrange);
  arrange();
};
