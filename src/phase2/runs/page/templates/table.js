// The table: one page of the runs that pass the filters.
{
  const { h, fill, $, whole } = page;

  const arrow = (sorted) => h("span", { class: "arrow", "aria-hidden": "true" }, { asc: "▲", desc: "▼" }[sorted] ?? "↕");

  function heading(column) {
    const sorted = page.table.getColumn(column.id).getIsSorted();
    const sort = (event) => page.table.getColumn(column.id).toggleSorting(undefined, event.shiftKey);
    const order = { asc: "ascending", desc: "descending" }[sorted];
    return h("th", { scope: "col", class: column.numeric ? "number" : "", "aria-sort": order ?? "none" },
      h("button", { type: "button", title: column.help ?? "", onclick: sort, "data-column": column.id },
        h("span", {}, column.title, column.unit ? h("small", {}, ` ${column.unit}`) : null), arrow(sorted)));
  }

  const BADGES = { state: (run) => run.state, handoff: (run) => run.handoff };

  // The best of each property among the runs of one data set, in what passes the filters.
  function bests() {
    const found = new Map();
    for (const run of page.filtered()) {
      for (const [key, [value]] of Object.entries(run.errors)) {
        if (value === null) continue;
        const place = `${key} ${run.data}`;
        const before = found.get(place);
        found.set(place, { value: before ? Math.min(before.value, value) : value, runs: (before?.runs ?? 0) + 1 });
      }
    }
    return found;
  }

  function errorCell(run, column, best) {
    const value = run.val(column.key);
    if (value === null) return h("td", { class: "number" }, "");
    const [, , median, boosting] = run.errors[column.key];
    const among = best.get(`${column.key} ${run.data}`);
    const isBest = among?.runs > 1 && among.value === value;
    const bar = h("span", { class: "bar", "aria-hidden": "true" });
    if (median) {
      bar.style.setProperty("--share", Math.min(1, value / median));
      bar.classList.toggle("loses", value > median || (boosting !== null && value > boosting));
    }
    const words = [`${page.beside(value, median)} than the median`, boosting === null ? "" : `${page.beside(value, boosting)} than gradient boosting`];
    return h("td", { class: "number error", title: median ? words.filter(Boolean).join(", ") : "" },
      isBest ? h("strong", { class: "best" }, page.number(value), h("span", { class: "hidden" }, " (best)")) : page.number(value), bar);
  }

  function badgeCell(run, column) {
    const state = BADGES[column.id](run);
    const resumed = column.id === "state" && run.resumed ? h("small", { class: "muted" }, ` resumed ${run.resumed}×`) : null;
    return h("td", {}, h("span", { class: `chip ${column.id}-${state}` }, state), resumed);
  }

  function cell(run, column, best) {
    if (column.group === "error") return errorCell(run, column, best);
    if (BADGES[column.id]) return badgeCell(run, column);
    const shown = column.show(run);
    return h("td", { class: column.numeric ? "number" : "", title: String(shown).length > 28 ? shown : "" }, shown);
  }

  function nameCell(run) {
    const chosen = page.table.getRow(run.prefix, true).getIsSelected();
    const choose = (event) => page.choose(run.prefix, event.target.checked);
    return h("th", { scope: "row", class: "name" },
      h("span", {},
        h("input", { type: "checkbox", checked: chosen, onchange: choose, "aria-label": `Compare ${run.id}`, "data-prefix": run.prefix }),
        h("button", { type: "button", class: "link", onclick: () => page.showDetails(run), title: run.shown }, run.id),
        page.reportLink(run, "report")));
  }

  page.choose = (prefix, isChosen) => page.table.getRow(prefix, true).toggleSelected(isChosen);

  function drawBody(columns) {
    const best = bests();
    const rows = page.table.getRowModel().rows.map((row) => h("tr", { class: row.getIsSelected() ? "chosen" : "" },
      nameCell(row.original), columns.map((column) => cell(row.original, column, best))));
    const none = h("tr", {}, h("td", { colSpan: columns.length + 1, class: "none" },
      page.model.runs.length ? "No run passes the filters." : "There is no run in this store yet: phase2 train --store …"));
    fill("rows", rows.length ? rows : none);
  }

  function drawPages() {
    const { pageIndex, pageSize } = page.table.getState().pagination;
    const count = page.table.getFilteredRowModel().rows.length;
    const pages = Math.max(1, Math.ceil(count / pageSize));
    if (pageIndex >= pages) return page.table.setPageIndex(pages - 1);
    const first = count ? pageIndex * pageSize + 1 : 0;
    $("range").textContent = `${whole(first)}–${whole(Math.min(count, (pageIndex + 1) * pageSize))} of ${whole(count)}`;
    for (const [id, possible] of [["first", pageIndex > 0], ["previous", pageIndex > 0], ["next", pageIndex < pages - 1], ["last", pageIndex < pages - 1]]) $(id).disabled = !possible;
    const all = page.model.runs.length;
    $("count").textContent = count === all ? phase2.counted(all, "run") : `${whole(count)} of ${phase2.counted(all, "run")}`;
    return undefined;
  }

  page.drawTable = () => {
    const columns = page.columns.filter((column) => page.shown.has(column.id));
    const focused = document.activeElement?.dataset ?? {};
    const byStart = page.table.getColumn("started");
    fill("headings", h("th", { scope: "col", class: "name" },
      h("button", { type: "button", onclick: () => byStart.toggleSorting(byStart.getIsSorted() !== "desc") }, "Run")), columns.map(heading));
    drawBody(columns);
    drawPages();
    // What was focused was made anew.
    if (focused.column) document.querySelector(`[data-column="${CSS.escape(focused.column)}"]`)?.focus();
    if (focused.prefix) document.querySelector(`input[data-prefix="${CSS.escape(focused.prefix)}"]`)?.focus();
  };
}
