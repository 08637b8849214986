// The beginning: the script of the runs is loaded last, and calls runsPage.runs.
{
  const { $ } = page;
  let started = false;

  globalThis.runsPage = { runs: page.setData, curves: page.setCurves };

  function begin() {
    const said = page.readAddress();
    page.makeTable({
      columnFilters: said.facets,
      sorting: said.sorting.length ? said.sorting : [{ id: "started", desc: true }],
      rowSelection: Object.fromEntries(said.chosen.map((prefix) => [prefix, true])),
      pagination: { pageIndex: 0, pageSize: 50 },
      globalFilter: said.words ? { words: said.words, test: () => true } : undefined,
    });
    page.first = page.shownByDefault();
    page.shown = said.columns ?? new Set(page.first);
    $("search").value = said.words;
    if (said.words) page.search(said.words);
    page.startViews();
    page.startControls();
    page.startLive();
    started = true;
    page.drawMeasures();
    page.showView(said.view);
    $("loading").hidden = true;
    performance.mark("drawn");
    document.body.dataset.ready = "true";
  }

  // New runs are shown where the reader is: with the same filters, order, page and choice.
  function renew() {
    const { state } = page.table.options;
    page.makeTable(state);
    page.first = page.shownByDefault();
    page.drawMeasures();
    if (state.globalFilter) page.search(state.globalFilter.words);
    else page.draw();
  }

  function controls() {
    let waiting = 0;
    $("search").addEventListener("input", (event) => {
      clearTimeout(waiting);
      waiting = setTimeout(() => page.search(event.target.value), 120);
    });
    $("page-size").addEventListener("change", (event) => page.table.setPageSize(Number(event.target.value)));
    $("first").addEventListener("click", () => page.table.setPageIndex(0));
    $("previous").addEventListener("click", () => page.table.previousPage());
    $("next").addEventListener("click", () => page.table.nextPage());
    $("last").addEventListener("click", () => page.table.setPageIndex(page.table.getPageCount() - 1));
    $("unchoose").addEventListener("click", () => page.table.resetRowSelection(true));
    $("details-close").addEventListener("click", () => $("details").close());
    for (const id of ["curve-measure", "curve-axis", "curve-log"]) $(id).addEventListener("change", page.drawCurves);
    $("best-data").addEventListener("change", page.drawBest);
    $("compare-differing").addEventListener("change", page.drawCompare);
    $("compare-search").addEventListener("input", page.drawCompare);
    document.addEventListener("keydown", (event) => {
      const isTyping = event.target.closest("input:not([type=checkbox]), select, textarea, dialog");
      if (event.key !== "/" || isTyping || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      page.showView("runs");
      $("search").focus();
    });
  }

  page.startControls = controls;
  page.load(page.place.runs).catch((error) => { $("loading").textContent = `${error.message}: the page changed since it was opened. Reload it.`; });
  page.on((what) => {
    if (what === "data") (started ? renew : begin)();
    else if (started) page.draw();
  });
}
