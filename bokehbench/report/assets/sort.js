"use strict";
// Tables of class "sortable": headings become buttons; cells sort by data-sort, else by their text.
report.sortable = (table) => {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    if (!head.firstElementChild) return;
    const button = report.element("button", { type: "button" }, ...head.childNodes);
    head.replaceChildren(button);
    head.setAttribute("aria-sort", "none");
    // The whole cell, as a mouse expects; a key's click on the button comes here, too
    head.addEventListener("click", () => {
      const now = head.getAttribute("aria-sort");
      const first = head.dataset.first || "ascending";
      const other = first === "ascending" ? "descending" : "ascending";
      const direction = now === first ? other : first;
      heads.forEach((each) => each.hasAttribute("aria-sort") && each.setAttribute("aria-sort", "none"));
      head.setAttribute("aria-sort", direction);
      sortRows(table.tBodies[0], column, direction === "ascending" ? 1 : -1);
    });
  });

  function key(row, column) {
    const cell = row.cells[column];
    const text = "sort" in cell.dataset ? cell.dataset.sort : cell.textContent.trim();
    const number = text === "" ? NaN : Number(text.replace("inf", "Infinity"));
    return [text, number];
  }

  function sortRows(body, column, sign) {
    const rows = [...body.rows].map((row) => [row, ...key(row, column)]);
    rows.sort(([, a, x], [, b, y]) => {
      if (a === "" || b === "") return (a === "") - (b === ""); // what is not known stays at the end
      if (!Number.isNaN(x) && !Number.isNaN(y)) return x === y ? 0 : sign * (x < y ? -1 : 1);
      return sign * a.localeCompare(b, undefined, { numeric: true });
    });
    body.append(...rows.map(([row]) => row));
  }
};

document.querySelectorAll("table.sortable").forEach(report.sortable);
