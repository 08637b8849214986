// What is looked at is part of the address: a link shows the same to somebody else, and a reload shows it again.
{
  const LISTS = (text) => (text ? text.split(",").map(decodeURIComponent) : []);
  const joined = (items) => items.map(encodeURIComponent).join(",");

  page.readAddress = () => {
    const said = new URLSearchParams(location.hash.slice(1));
    const facets = page.FACETS.filter((id) => said.has(id)).map((id) => ({ id, value: LISTS(said.get(id)) }));
    const known = new Set(page.makeColumns().map((column) => column.id));
    const sorting = LISTS(said.get("sort")).map((one) => ({ id: one.replace(/^-/, ""), desc: one.startsWith("-") }));
    return {
      words: said.get("search") ?? "",
      facets,
      sorting: sorting.filter(({ id }) => known.has(id)),
      chosen: LISTS(said.get("runs")).filter((prefix) => page.model.byPrefix.has(prefix)),
      columns: said.has("columns") ? new Set(LISTS(said.get("columns"))) : null,
      view: said.get("view") ?? "runs",
    };
  };

  page.writeAddress = () => {
    const state = page.table.getState();
    const said = new URLSearchParams();
    if (state.globalFilter) said.set("search", state.globalFilter.words);
    for (const { id, value } of state.columnFilters) said.set(id, joined(value));
    const sorting = state.sorting.map(({ id, desc }) => (desc ? `-${id}` : id));
    if (joined(sorting) !== "-started") said.set("sort", joined(sorting));
    const chosen = page.chosen().map((run) => run.prefix);
    if (chosen.length) said.set("runs", joined(chosen));
    const { first } = page;
    if (first.size !== page.shown.size || [...first].some((id) => !page.shown.has(id))) said.set("columns", joined([...page.shown]));
    if (page.view !== "runs") said.set("view", page.view);
    history.replaceState(null, "", said.size ? `#${said}` : location.pathname + location.search);
  };
}
