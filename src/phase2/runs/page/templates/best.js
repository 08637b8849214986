// The best run of each property, among the runs of one data set that pass the filters.
{
  const { h, fill, $, number, beside } = page;

  function sets() {
    return page.dataSets(page.filtered().filter((run) => run.state === "finished"));
  }

  function drawChoice(found, wanted) {
    const option = (set) => h("option", { value: set.data, selected: set.data === wanted },
      `${set.source || "unknown"} (${set.data}, ${phase2.counted(set.crystals ?? 0, "training crystal")}): ${phase2.counted(set.runs.length, "run")}`);
    fill("best-data", found.map(option));
  }

  function verdict(run, key, error) {
    const [value, , median, boosting] = run.errors[key];
    const lines = [];
    if (median) lines.push(`${beside(value, median)} than the ${error === "MAE" ? "median" : "baseline"} (${number(median)})`);
    if (boosting) lines.push(`${beside(value, boosting)} than gradient boosting (${number(boosting)})`);
    return lines;
  }

  function card({ key, title, unit, error }, runs) {
    const ranked = runs.filter((run) => run.val(key) !== null).sort((a, b) => a.val(key) - b.val(key));
    if (!ranked.length) return null;
    const [run, second] = ranked;
    const bar = h("span", { class: "bar", "aria-hidden": "true" });
    const [value, , median, boosting] = run.errors[key];
    if (median) {
      bar.style.setProperty("--share", Math.min(1, value / median));
      bar.classList.toggle("loses", value > median || (boosting !== null && value > boosting));
    }
    return h("li", { class: "card" },
      h("h3", {}, title),
      h("p", { class: "figure" }, number(value, 3), h("small", {}, ` ${error === "log loss" ? error : unit}`)),
      bar,
      verdict(run, key, error).map((text) => h("p", { class: "small muted" }, text)),
      h("p", { class: "by" }, h("button", { type: "button", class: "link", onclick: () => page.showDetails(run) }, run.id),
        ` ${run.algorithm} ${run.level}, of ${ranked.length}`),
      second ? h("p", { class: "small muted" }, `next: ${second.id}, ${number(second.val(key), 3)}`) : null);
  }

  page.drawBest = () => {
    const found = sets();
    const wanted = found.find((set) => set.data === $("best-data").value) ?? found[0];
    drawChoice(found, wanted?.data);
    const cards = wanted ? page.model.properties.map((property) => card(property, wanted.runs)).filter(Boolean) : [];
    fill("best-cards", cards.length ? cards : h("li", { class: "none" }, "No finished run passes the filters."));
  };
}
