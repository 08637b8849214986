// The chosen runs side by side: their errors, and the settings in which they differ.
{
  const { h, fill, $, number } = page;
  const MOST = 12;

  function heads(first, runs) {
    const head = (run) => h("th", { scope: "col" },
      h("button", { type: "button", class: "link", onclick: () => page.showDetails(run), title: run.shown }, run.id),
      h("small", {}, `${run.algorithm} ${run.level}`));
    return h("thead", {}, h("tr", {}, h("th", { scope: "col" }, first), runs.map(head)));
  }

  function row(title, cells, parts = {}) {
    return h("tr", parts, h("th", { scope: "row" }, title), cells);
  }

  function errorRow(title, values, { isRanked }) {
    const numbers = values.filter((value) => value !== null && value !== undefined);
    const best = isRanked && numbers.length > 1 ? Math.min(...numbers) : null;
    const show = (value) => h("td", { class: "number" },
      value !== null && value === best ? h("strong", { class: "best" }, number(value), h("span", { class: "hidden" }, " (best)")) : number(value));
    return numbers.length ? row(title, values.map(show)) : null;
  }

  function errors(runs) {
    const rows = [errorRow("Validation score", runs.map((run) => run.score), { isRanked: true })];
    for (const { key, title, unit, error } of page.model.properties) {
      const of = (place) => runs.map((run) => run.errors[key]?.[place] ?? null);
      if (!runs.some((run) => run.errors[key])) continue;
      const named = (what) => `${title}${unit ? `, ${unit}` : ""}: ${what}`;
      rows.push(errorRow(named(`validation ${error}`), of(0), { isRanked: true }), errorRow(named(`test ${error}`), of(1), { isRanked: false }),
        errorRow(named(error === "MAE" ? "median" : "baseline"), of(2), { isRanked: false }), errorRow(named("gradient boosting"), of(3), { isRanked: false }));
    }
    fill("compare-errors", heads("Error", runs), h("tbody", {}, rows.filter(Boolean)));
  }

  function settings(runs) {
    const onlyDiffering = $("compare-differing").checked;
    const words = $("compare-search").value.toLowerCase();
    const rows = [];
    let same = 0;
    for (const path of page.model.settings.paths) {
      const shown = runs.map((run) => page.setting(page.settingOf(run, path)));
      const differs = new Set(shown).size > 1;
      if (!differs) same += 1;
      if ((onlyDiffering && !differs) || !path.toLowerCase().includes(words)) continue;
      const cells = shown.map((value) => h("td", { class: differs && value !== shown[0] ? "differs" : "" }, value));
      rows.push(row(path, cells, { class: differs ? "differing" : "" }));
    }
    const none = row(onlyDiffering ? "None that matches" : "No such setting", runs.map(() => h("td", {})));
    fill("compare-settings", heads("Setting", runs), h("tbody", {}, rows.length ? rows : none));
    $("compare-same").textContent = `${phase2.counted(same, "setting")} ${same === 1 ? "is" : "are"} the same in ${runs.length === 1 ? "it" : `all ${runs.length}`}. What differs from the first run is marked.`;
  }

  function facts(runs) {
    const shown = page.columns.filter((column) => column.group === undefined && column.id !== "score");
    const rows = shown.map((column) => row(column.title, runs.map((run) => h("td", {}, column.show(run)))));
    fill("compare-facts", heads("Run", runs), h("tbody", {}, rows));
  }

  page.drawCompare = () => {
    const chosen = page.chosen();
    const runs = chosen.slice(0, MOST);
    $("compare-parts").hidden = !runs.length;
    const mixed = new Set(runs.map((run) => run.data)).size > 1;
    $("compare-note").textContent = !runs.length ? "Tick two or more runs in the table to compare them."
      : [chosen.length > MOST ? `The first ${MOST} of ${chosen.length} chosen runs.` : "",
        mixed ? "These runs were trained and measured on different data: their errors compare only roughly." : ""].join(" ").trim();
    if (!runs.length) return;
    errors(runs);
    settings(runs);
    facts(runs);
  };
}
