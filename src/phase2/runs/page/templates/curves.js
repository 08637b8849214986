// Learning curves of the chosen runs, drawn by Plotly, which is loaded when it is first needed.
{
  const { h, fill, $ } = page;

  const MOST = 12;
  const UNCHOSEN = 5;
  const MARKED = 30; // epochs up to which each has a point
  const MEASURES = [["score", "Validation score"], ["val_loss", "Validation loss"], ["train_loss", "Training loss"], ["lr", "Learning rate"]];
  const received = new Map(); // by run
  const files = new Map();
  let drawn = 0;

  // Called by the script of a run's curves.
  page.setCurves = (prefix, found) => received.set(prefix, found);

  // A file is named after its content: it is loaded once.
  page.curvesOf = (run) => {
    if (!files.has(run.curves)) {
      const loaded = page.load(run.curves).then(() => received.get(run.prefix));
      loaded.catch(() => files.delete(run.curves));
      files.set(run.curves, loaded);
    }
    return files.get(run.curves);
  };

  page.drawMeasures = () => {
    const before = $("curve-measure").value || "score";
    const errors = page.model.properties.map(({ key, title, unit, error }) => [`mae:${key}`, `${error}: ${title}${unit ? ` (${unit})` : ""}`]);
    fill("curve-measure", [...MEASURES, ...errors].map(([value, title]) => h("option", { value, selected: value === before }, title)));
  };

  // Without a choice: the best few of what the table shows.
  page.drawnRuns = () => {
    const chosen = page.chosen();
    if (chosen.length) return chosen.filter((run) => run.curves).slice(0, MOST);
    const scored = page.filtered().filter((run) => run.curves && run.score !== null);
    return scored.sort((a, b) => a.score - b.score).slice(0, UNCHOSEN);
  };

  const values = (found, measure) => (measure.startsWith("mae:") ? found.mae[measure.slice(4)] : found[measure]) ?? [];

  function trace(run, found, measure, axis, place) {
    const y = values(found, measure);
    const colours = phase2.series();
    let spent = 0;
    const minutes = found.seconds.map((seconds) => (spent += seconds) / 60);
    return {
      x: axis === "time" ? minutes : y.map((_, epoch) => epoch + 1),
      y, name: phase2.plotText(`${run.id} ${run.algorithm} ${run.level}`), type: "scatter", mode: y.length > MARKED ? "lines" : "lines+markers",
      line: { color: colours[place % colours.length], dash: place < colours.length ? "solid" : "dash", width: 2 },
      hovertemplate: "%{y:.4g}",
    };
  }

  function layout(measure, axis, epochs) {
    const title = $("curve-measure").selectedOptions[0]?.textContent ?? "";
    return {
      hovermode: "x unified", showlegend: true, height: 460,
      xaxis: { title: { text: axis === "time" ? "Minutes of training" : "Epoch" }, dtick: axis === "epoch" && epochs < 15 ? 1 : undefined },
      yaxis: { title: { text: title }, type: $("curve-log").checked ? "log" : "linear" },
    };
  }

  // The same as the picture, for who cannot see it.
  function describe(found, measure) {
    const row = ([run, curve]) => {
      const all = values(curve, measure).filter((value) => value !== null);
      const best = measure === "lr" ? Math.max(...all) : Math.min(...all);
      return h("tr", {}, h("th", { scope: "row" }, run.id), [all.length, page.number(all[0]), page.number(best), page.number(all.at(-1))].map((value) => h("td", { class: "number" }, String(value))));
    };
    const heads = ["Run", "Epochs", "First", measure === "lr" ? "Highest" : "Lowest", "Last"];
    fill("curve-table", h("thead", {}, h("tr", {}, heads.map((name, place) => h("th", { scope: "col", class: place ? "number" : "" }, name)))), h("tbody", {}, found.map(row)));
  }

  page.drawCurves = async () => {
    const turn = (drawn += 1);
    const runs = page.drawnRuns();
    const measure = $("curve-measure").value;
    const axis = $("curve-axis").value;
    const more = page.chosen().length;
    $("curve-note").textContent = !more ? (runs.length ? `Nothing is chosen: the ${runs.length === 1 ? "best score" : `${runs.length} best scores`} of the table. Tick runs in the table to compare them.` : "No run of the table has learning curves yet.")
      : !runs.length ? "None of the ticked runs has learning curves yet."
      : more > runs.length ? `${runs.length} of ${more} chosen runs ${runs.length === 1 ? "is" : "are"} drawn: at most ${MOST}, of those that have learning curves.` : "";
    try {
      await page.load(page.place.plotly);
      const found = await Promise.all(runs.map(async (run) => [run, await page.curvesOf(run)]));
      if (turn !== drawn) return;
      const drawable = found.filter(([, curve]) => values(curve, measure).some((value) => value !== null));
      const build = () => ({
        traces: drawable.map(([run, curve]) => trace(run, curve, measure, axis, runs.indexOf(run))),
        layout: layout(measure, axis, Math.max(0, ...drawable.map(([, curve]) => curve.score.length))),
      });
      await phase2.plot($("curve-plot"), build);
      describe(drawable, measure);
    } catch (error) {
      $("curve-note").textContent = `${error.message}: the page changed since it was opened. Reload it.`;
    }
  };
}
