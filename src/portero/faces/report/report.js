"use strict";
// Sorting and finding, for readers who have scripts; without them every row is there in the order of the audit.
const value = (row, index) => {
  const cell = row.cells[index];
  return cell.dataset.sort === undefined ? cell.textContent.trim() : Number(cell.dataset.sort);
};
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, index) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending"
        || (head.getAttribute("aria-sort") === null && head.classList.contains("n"));
      heads.forEach((each) => each.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const bodies = [...table.tBodies].sort((one, other) => {
        const [a, b] = [value(one.rows[0], index), value(other.rows[0], index)];
        const order = typeof a === "number" ? a - b : a.localeCompare(b, document.documentElement.lang);
        return down ? -order : order;
      });
      table.append(...bodies);
    });
  });
}
for (const tools of document.querySelectorAll("[data-tools]")) {
  const table = document.querySelector(`[data-table="${tools.dataset.tools}"]`);
  const input = tools.querySelector("[data-filter]");
  const shown = tools.querySelector("[data-count]");
  tools.hidden = false;
  input.addEventListener("input", () => {
    const wanted = input.value.trim().toLowerCase();
    let number = 0;
    for (const body of table.tBodies) {
      body.hidden = !body.textContent.toLowerCase().includes(wanted);
      number += body.hidden ? 0 : 1;
    }
    shown.textContent = wanted ? shown.dataset.template.replace("#", number) : "";
  });
}
// A link to a place inside something folded unfolds it.
const unfold = () => {
  const target = location.hash ? document.getElementById(location.hash.slice(1)) : null;
  const folded = target && (target.matches("details") ? target : target.querySelector("details"));
  if (folded && !target.matches("section")) folded.open = true;
};
window.addEventListener("hashchange", unfold);
unfold();
