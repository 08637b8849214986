// The views: table, best, curves, comparison; one is shown at a time.
{
  const { $ } = page;
  const DRAW = { runs: page.drawTable, best: page.drawBest, curves: page.drawCurves, compare: page.drawCompare };
  const NAMES = Object.keys(DRAW);

  page.view = "runs";

  page.showView = (name) => {
    page.view = NAMES.includes(name) ? name : "runs";
    for (const one of NAMES) {
      const isShown = one === page.view;
      $(`view-${one}`).hidden = !isShown;
      $(`tab-${one}`).setAttribute("aria-selected", String(isShown));
      $(`tab-${one}`).tabIndex = isShown ? 0 : -1;
    }
    $("tools").hidden = page.view === "compare";
    page.draw();
  };

  page.draw = () => {
    page.drawFacets();
    $("facet-columns").hidden = page.view !== "runs";
    page.drawSummary();
    DRAW[page.view]();
    const chosen = page.chosen().length;
    for (const name of ["curves", "compare"]) $(`chosen-${name}`).textContent = chosen ? ` (${chosen})` : "";
    $("unchoose").hidden = !chosen;
    $("unchoose").textContent = `Untick ${phase2.counted(chosen, "run")}`;
    page.writeAddress();
  };

  function step(event) {
    const place = NAMES.indexOf(page.view);
    const next = { ArrowRight: place + 1, ArrowLeft: place - 1, Home: 0, End: NAMES.length - 1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    page.showView(NAMES[(next + NAMES.length) % NAMES.length]);
    $(`tab-${page.view}`).focus();
  }

  page.startViews = () => {
    for (const name of NAMES) $(`tab-${name}`).addEventListener("click", () => page.showView(name));
    $("tabs").addEventListener("keydown", step);
  };
}
