// Filters: one list of boxes per column, with the number of runs behind each; and the choice of columns.
{
  const { h, fill, $ } = page;
  const TITLES = { state: "State", algorithm: "Algorithm", level: "Level", properties: "Properties", source: "Data", handoff: "Hand-off" };
  const LEVELS = ["smoke", "lite", "std", "pro", "max", "competition"];

  function ordered(id, values) {
    const place = { state: (v) => page.STATE_ORDER.get(v), level: (v) => LEVELS.indexOf(v) }[id];
    return place ? values.sort((a, b) => place(a) - place(b)) : values.sort();
  }

  function box(id, value, count, wanted) {
    const toggle = (event) => {
      const rest = wanted.filter((one) => one !== value);
      page.setFacet(id, event.target.checked ? [...rest, value] : rest);
    };
    return h("label", { class: "choice" },
      h("input", { type: "checkbox", checked: wanted.includes(value), onchange: toggle, value }),
      h("span", {}, id === "properties" ? page.title(value) : value || "unknown"),
      h("span", { class: "count" }, page.whole(count)));
  }

  // The boxes are made when a list is open: counting what is behind each takes a while.
  function facet(id) {
    const column = page.table.getColumn(id);
    const wanted = column.getFilterValue() ?? [];
    return { label: wanted.length ? `${TITLES[id]}: ${wanted.length}` : TITLES[id], active: wanted.length > 0, parts: () => boxes(id, column, wanted) };
  }

  function boxes(id, column, wanted) {
    const counts = new Map(column.getFacetedUniqueValues());
    for (const one of wanted) if (!counts.has(one)) counts.set(one, 0);
    const values = ordered(id, [...counts.keys()].filter((one) => one !== undefined));
    const clear = h("button", { type: "button", class: "quiet", disabled: !wanted.length, onclick: () => page.setFacet(id, []) }, "Clear");
    return [...values.map((value) => box(id, value, counts.get(value), wanted)), clear];
  }

  // The boxes are filled when a list is opened, and stay open and focused while their filter changes the table.
  function update(details, content) {
    details.firstElementChild.textContent = content.label;
    details.classList.toggle("active", Boolean(content.active));
    if (!details.open) return;
    const body = details.lastElementChild;
    const focused = body.contains(document.activeElement) ? document.activeElement.value : null;
    body.replaceChildren(...content.parts());
    if (focused !== null) [...body.querySelectorAll("input")].find((one) => one.value === focused)?.focus();
  }

  function makeList(id, name, content) {
    const list = h("details", { class: "facet", id: `facet-${id}` },
      h("summary", {}, name), h("div", { class: "popover", role: "group", "aria-label": name }));
    list.addEventListener("toggle", () => {
      if (!list.open) return;
      document.querySelectorAll("details.facet[open]").forEach((other) => { if (other !== list) other.open = false; });
      update(list, content());
    });
    list.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      list.open = false;
      list.firstElementChild.focus();
    });
    return list;
  }

  function columnBox(column) {
    const toggle = (event) => {
      if (event.target.checked) page.shown.add(column.id);
      else page.shown.delete(column.id);
      page.changed("view");
    };
    const title = column.group === "error" ? `${column.error}: ${column.title}` : column.title;
    return h("label", { class: "choice" },
      h("input", { type: "checkbox", value: column.id, checked: page.shown.has(column.id), onchange: toggle }), h("span", {}, title));
  }

  function columnChoice() {
    const group = (title, found) => (found.length ? [h("p", { class: "group" }, title), ...found.map(columnBox)] : []);
    const of = (name) => page.columns.filter((column) => column.group === name);
    const reset = h("button", { type: "button", class: "quiet", onclick: () => { page.shown = new Set(page.first); page.changed("view"); } }, "As at first");
    return { label: "Columns", parts: () => [...group("Errors", of("error")), ...group("Runs", of(undefined)), ...group("Settings that differ", of("setting")), reset] };
  }

  page.drawFacets = () => {
    if (!$("facets").childElementCount) {
      fill("facets", page.FACETS.map((id) => makeList(id, TITLES[id], () => facet(id))), makeList("columns", "Columns", columnChoice));
    }
    page.FACETS.forEach((id) => update($(`facet-${id}`), facet(id)));
    update($("facet-columns"), columnChoice());
  };

  document.addEventListener("click", (event) => {
    document.querySelectorAll("details.facet[open]").forEach((one) => { if (!one.contains(event.target)) one.open = false; });
  });
}
