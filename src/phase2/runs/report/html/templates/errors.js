// Where a run errs: the periodic table, groups of crystals, the distribution of errors, intervals.
(() => {
  const { runs, many, byKey, short, withUnit, runColor, rgba, element, get, chosen } = report;
  if (!get("where")) return;
  const text = phase2.plotText;
  const NAMES = { system: "crystal system", atoms: "atoms in the cell", distance: "distance", seen: "composition" };

  const property = () => get("where-property").value;
  const prop = () => byKey(property());
  const errorsOf = (run) => runs[run].errors[property()] || {};
  const unit = () => (prop() ? prop().unit : "× median");

  // ---- the periodic table ----
  const cells = [...document.querySelectorAll(".elements td[data-element]")];

  function paintElements() {
    const values = errorsOf(Number(chosen("where-run", "0"))).elements || {};
    const known = Object.values(values).filter(([, count]) => count >= 3).map(([mae]) => mae).sort((a, b) => a - b);
    const low = known[0] ?? 0, high = known[Math.floor(0.95 * (known.length - 1))] ?? 1;
    for (const cell of cells) {
      const found = values[cell.dataset.element];
      cell.classList.toggle("unseen", !found);
      const value = cell.querySelector(".value");
      if (!found) {
        value.textContent = "";
        cell.removeAttribute("style");
        cell.removeAttribute("title");
        continue;
      }
      const [mae, count] = found;
      const share = high > low ? Math.max(0, Math.min(1, (mae - low) / (high - low))) : 0;
      cell.style.background = `color-mix(in oklab, var(--heat) ${Math.round(100 * share)}%, var(--raised))`;
      value.textContent = short(mae);
      cell.title = `${cell.dataset.element}: MAE ${prop() ? withUnit(mae, prop()) : `${short(mae)} of the median's`}, ${phase2.counted(count, "label")}`;
    }
    get("heat-low").textContent = short(low);
    get("heat-high").textContent = `${short(high)}${prop() ? ` ${prop().unit}` : ""} or more`;
  }

  // ---- groups ----
  function bars(group) {
    // Tenths of several runs have other limits in each: they are numbered, and the limits are in the hover text.
    const label = ([name], k) => (many && group === "distance" ? String(k + 1) : name);
    const names = [...new Set(runs.flatMap((_, run) => (errorsOf(run)[group] || []).map(label)))];
    const traces = runs.map((run, index) => {
      const found = new Map((errorsOf(index)[group] || []).map((one, k) => [label(one, k), one]));
      const shown = names.filter((name) => found.has(name));
      return { type: "bar", x: shown.map(text), y: shown.map((name) => found.get(name)[1]), name: text(run.id),
        marker: { color: runColor(many ? index : 0) }, customdata: shown.map((name) => [text(found.get(name)[0]), phase2.counted(found.get(name)[2], "label")]),
        hovertemplate: "%{customdata[0]}<br>MAE %{y:.3g}<br>%{customdata[1]}<extra></extra>" };
    });
    return { traces, layout: { showlegend: false, bargap: 0.25, xaxis: { type: "category", tickangle: group === "distance" && !many ? -40 : "auto" },
      yaxis: { title: { text: `MAE${unit() ? ` [${unit()}]` : ""}` }, rangemode: "tozero" } } };
  }

  const groupFigures = [...document.querySelectorAll("figure[data-group]")];

  function distribution() {
    const traces = runs.flatMap((run, index) => {
      const found = errorsOf(index).distribution;
      if (!found) return [];
      return [{ type: "bar", x: found.centers, y: found.counts, width: found.width, name: text(run.id), offsetgroup: "all",
        customdata: found.counts.map((count) => phase2.counted(count, "crystal")),
        marker: { color: rgba(runColor(many ? index : 0), many ? 0.45 : 0.85) }, hovertemplate: "error %{x:.3g}: %{customdata}<extra></extra>" }];
    });
    const zero = { type: "line", x0: 0, x1: 0, y0: 0, y1: 1, yref: "paper", line: { color: phase2.color("muted"), width: 1, dash: "dot" } };
    return { traces, layout: { barmode: "overlay", bargap: 0, showlegend: many, shapes: prop() ? [zero] : [],
      xaxis: { title: { text: prop() ? `predicted - reference${unit() ? ` [${unit()}]` : ""}` : "error [× median]" } }, yaxis: { title: { text: "crystals" } } } };
  }

  function quantiles() {
    return runs.map((run, index) => {
      const found = errorsOf(index).distribution;
      if (!found) return "";
      const [median, ninety, most, mean] = found.quantiles;
      const whose = many ? `${run.id}: ` : "";
      const bias = prop() ? `; on average it predicts ${short(Math.abs(mean))} too ${mean < 0 ? "low" : "high"}` : "";
      return `${whose}Half of the errors are below ${withUnit(median, prop())}, nine of ten below ${short(ninety)}, the largest is ${short(most)}${bias}. `
        + "The outermost bars hold what is beyond them.";
    }).join(" ");
  }

  // ---- intervals ----
  function intervals() {
    const key = property();
    const traces = runs.flatMap((run, index) => Object.entries(run.intervals)
      .filter(([each]) => key === "all" || each === key)
      .map(([each, levels], k) => ({ x: levels.map(([level]) => level), y: levels.map(([, share]) => share), mode: "lines+markers",
        name: text(many ? `${run.id} ${byKey(each).title}` : byKey(each).title), line: { color: many ? runColor(index) : phase2.series()[k % 8], width: 1.7 },
        hovertemplate: "level %{x}: %{y:.3f}<extra>%{fullData.name}</extra>" })));
    const axis = { range: [0, 1.03] };
    const exact = { type: "line", x0: 0, x1: 1, y0: 0, y1: 1, line: { color: phase2.color("muted"), width: 1, dash: "dot" } };
    return { traces, layout: { showlegend: false, shapes: [exact], xaxis: { ...axis, title: { text: "level" } },
      yaxis: { ...axis, title: { text: "share inside" } } } };
  }

  // ---- tables ----
  function table(group) {
    const made = element("table");
    made.append(element("caption", { text: `MAE by ${NAMES[group]}${unit() ? `, ${unit()}` : ""}` }));
    const head = made.createTHead().insertRow();
    for (const title of [NAMES[group], ...runs.flatMap((run) => (many ? [run.id] : ["MAE"])), "labels"]) {
      head.append(element("th", { text: title, scope: "col" }));
    }
    const body = made.createTBody();
    for (const [name, , count] of errorsOf(0)[group] || []) {
      const row = body.insertRow();
      row.append(element("th", { text: name, scope: "row" }));
      for (const [index] of runs.entries()) {
        const found = (errorsOf(index)[group] || []).find(([each]) => each === name);
        row.append(element("td", { text: found ? short(found[1]) : "-", className: "number" }));
      }
      row.append(element("td", { text: String(count), className: "number" }));
    }
    return made;
  }

  function draw(plot = phase2.plot) {
    get("where-unit").textContent = prop()
      ? `Errors of ${prop().title.toLowerCase()}${prop().unit ? ` in ${prop().unit}` : ""}.`
      : "Errors of all properties together: each is divided by the error of the median, so 1 is as bad as the median.";
    paintElements();
    const has = (group) => runs.some((_, run) => (errorsOf(run)[group] || []).length);
    for (const figure of groupFigures) {
      figure.hidden = !has(figure.dataset.group);
      if (!figure.hidden) plot(figure.querySelector(".plot"), () => bars(figure.dataset.group));
    }
    plot(get("distribution"), distribution);
    get("quantiles").textContent = quantiles();
    get("intervals-figure").hidden = !runs.some((run) => Object.keys(run.intervals).length);
    if (!get("intervals-figure").hidden) plot(get("intervals"), intervals);
    get("where-tables").replaceChildren(...Object.keys(NAMES).filter(has).map(table));
  }

  get("where-property").addEventListener("change", () => draw());
  get("where-run")?.addEventListener("change", paintElements);
  draw(phase2.plotWhenSeen);
})();
