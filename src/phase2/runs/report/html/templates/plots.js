// Parity plots, learning curves, speed, labels.
(() => {
  const { properties, systems, runs, many, byKey, short, withUnit, runColor, rgba, element, get, chosen } = report;
  const text = phase2.plotText;

  // ---- parity ----
  const grid = get("parity-plots");
  const PALETTE = { light: [[0, "#c9dcf5"], [0.5, "#4a86cf"], [1, "#0b2a5c"]], dark: [[0, "#20406e"], [0.5, "#5f9bea"], [1, "#e3efff"]] };

  /** Ticks of a logarithmic axis: 1, 2 and 5 of each power of ten; over many powers, these alone. */
  function ticks([low, high]) {
    const digits = high - low > 2.2 ? [1] : [1, 2, 5];
    const tickvals = Array.from({ length: 16 }, (_, power) => digits.map((digit) => digit * 10 ** (power - 8))).flat();
    return { tickmode: "array", tickvals, ticktext: tickvals.map((value) => String(Number(value.toPrecision(1)))) };
  }

  /** What is drawn: one plot per property of a single run, or one per run of the chosen property. */
  function panels() {
    if (!many) return properties.map((prop) => ({ prop, run: 0 }));
    const prop = byKey(chosen("parity-property"));
    return runs.map((_, run) => ({ prop, run }));
  }

  function pointsOf({ prop, run }) {
    const part = runs[run].points[chosen("parity-part", "test")];
    return part && part.properties[prop.key] ? { ...part.properties[prop.key], crystals: part.crystals } : null;
  }

  const logarithmic = (prop, points) => prop.transform === "log1p" && chosen("parity-axes", "auto") === "auto"
    && points.x.filter((x) => x > 0).length > 0.9 * points.x.length;

  function hover({ crystals, row, x, y }, prop) {
    return row.map((at, k) => [
      `<b>${text(crystals.formula[at])}</b>  ${text(crystals.id[at])}`,
      `reference ${withUnit(x[k], prop)}`,
      `predicted ${short(y[k])}, error ${short(y[k] - x[k])}`,
      [crystals.atoms && phase2.counted(crystals.atoms[at], "atom"), crystals.system && crystals.system[at] >= 0 && systems[crystals.system[at]]]
        .filter(Boolean).join(", "),
      crystals.distance && `distance ${short(crystals.distance[at])}`,
    ].filter(Boolean).join("<br>"));
  }

  function marker(points, panel) {
    const by = chosen("parity-color", "none");
    const { crystals, row } = points;
    const size = Math.max(4, Math.min(8, 260 / Math.sqrt(row.length + 1)));
    const plain = { size, color: rgba(runColor(many ? panel.run : 0), row.length > 400 ? 0.4 : 0.6), line: { width: 0 } };
    if (by === "none" || !crystals[by]) return plain;
    const values = row.map((at) => crystals[by][at]);
    if (by === "system") {
      const colors = phase2.series();
      return { size, color: values.map((value) => (value < 0 ? phase2.color("muted") : colors[value % 8])), opacity: 0.75 };
    }
    const scaled = by === "atoms" ? values.map((value) => Math.log2(value)) : values;
    const sorted = [...scaled].sort((a, b) => a - b);
    const bar = { thickness: 8, len: 0.8, outlinewidth: 0, title: { text: by === "atoms" ? "atoms" : "distance", side: "right" } };
    if (by === "atoms") Object.assign(bar, { tickvals: [0, 1, 2, 3, 4, 5, 6, 7], ticktext: ["1", "2", "4", "8", "16", "32", "64", "128"] });
    return { size, color: scaled, colorscale: PALETTE[phase2.isDark() ? "dark" : "light"], cmin: sorted[0],
      cmax: sorted[Math.floor(0.98 * (sorted.length - 1))], opacity: 0.85, colorbar: bar };
  }

  function parity(panel) {
    const points = pointsOf(panel);
    const { prop } = panel;
    const unit = prop.unit ? ` [${prop.unit}]` : "";
    if (!points || !points.x.length) {
      return { traces: [], layout: { annotations: [{ text: "no labels in this part", showarrow: false, xref: "paper", yref: "paper", x: 0.5, y: 0.5 }],
        xaxis: { visible: false }, yaxis: { visible: false } } };
    }
    const log = logarithmic(prop, points);
    const values = [...points.x, ...points.y].filter((value) => Number.isFinite(value) && (!log || value > 0));
    const low = Math.min(...values), high = Math.max(...values);
    const scale = log ? Math.log10 : (value) => value;
    const margin = 0.04 * (scale(high) - scale(low)) || 0.5;
    const range = [scale(low) - margin, scale(high) + margin];
    const ends = log ? range.map((value) => 10 ** value) : range;
    const axis = { type: log ? "log" : "linear", range: [...range], ...(log ? ticks(range) : {}) };
    return {
      traces: [
        { x: ends, y: ends, mode: "lines", line: { color: phase2.color("muted"), width: 1, dash: "dot" }, hoverinfo: "skip", showlegend: false },
        { x: points.x, y: points.y, mode: "markers", marker: marker(points, panel), text: hover(points, prop), hoverinfo: "text", showlegend: false,
          customdata: points.row.map((at) => [points.crystals.id[at], points.crystals.formula[at]]) },
      ],
      layout: { xaxis: { ...axis, title: { text: `reference${unit}` } }, yaxis: { ...axis, title: { text: `predicted${unit}` } },
        uirevision: [prop.key, panel.run, chosen("parity-part"), chosen("parity-axes")].join() },
    };
  }

  function keep(points, prop) {
    const [id, formula] = points.customdata;
    const said = `${formula}, ${id}: reference ${withUnit(points.x, prop)}, predicted ${withUnit(points.y, prop)}. `;
    const copy = element("button", { className: "copy", text: "Copy id", type: "button", "data-copy": id });
    get("parity-picked").replaceChildren(document.createTextNode(said), copy);
  }

  function titleOf({ prop, run }) {
    const points = pointsOf({ prop, run });
    if (!points || !points.x.length) return "";
    const total = points.of === points.row.length ? phase2.counted(points.of, "crystal") : `${points.row.length} of ${phase2.counted(points.of, "crystal")} drawn`;
    return ` ${total}`;
  }

  function drawParity() {
    const shown = panels();
    grid.replaceChildren();
    for (const panel of shown) {
      const figure = element("figure");
      const title = element("h3", { text: many ? runs[panel.run].id : panel.prop.title });
      if (many) title.prepend(element("span", { className: `swatch run-${panel.run}` }));
      title.append(element("span", { className: "mae", text: titleOf(panel) }));
      const plot = element("div", { className: "plot", role: "group", "aria-label": `Predicted against reference, ${panel.prop.title}` });
      figure.append(title, plot);
      grid.append(figure);
      phase2.plotWhenSeen(plot, () => {
        queueMicrotask(() => plot.on && !plot.dataset.listens && (plot.dataset.listens = "yes")
          && plot.on("plotly_click", ({ points }) => points[0].customdata && keep(points[0], panel.prop)));
        return parity(panel);
      });
    }
  }

  if (grid) {
    for (const id of ["parity-property", "parity-part", "parity-color", "parity-axes"]) get(id)?.addEventListener("change", drawParity);
    if (!runs.some((run) => Object.values(run.points).some((part) => part.crystals.atoms))) {
      for (const option of get("parity-color").options) option.disabled = option.value !== "none";
    }
    drawParity();
  }

  // ---- curves ----
  const curve = (run, y, name, index, more = {}) => ({ x: runs[run].curves.epoch, y, name: text(name), mode: "lines",
    line: { color: phase2.series()[index], width: 2, ...more } });
  const withCurves = runs.map((_, k) => k).filter((k) => runs[k].curves.epoch.length);
  const epochs = { title: { text: "epoch" } };

  const resumed = () => (many ? [] : runs[0].resumed.map((x) => ({ type: "line", x0: x, x1: x, y0: 0, y1: 1, yref: "paper",
    line: { color: phase2.color("muted"), width: 1, dash: "dash" } })));

  function best(values) {
    return withCurves.filter((k) => runs[k].best).map((k) => ({ x: [runs[k].best], y: [values(k)[runs[k].curves.epoch.indexOf(runs[k].best)]], mode: "markers",
      name: "best epoch", showlegend: false, hovertemplate: "best epoch %{x}: %{y:.4g}<extra></extra>",
      marker: { size: 10, color: many ? runColor(k) : phase2.color("accent"), line: { color: phase2.color("surface"), width: 2 } } }));
  }

  function losses() {
    const traces = withCurves.flatMap((k) => [
      curve(k, runs[k].curves.train_loss, many ? `${runs[k].id} training` : "training", many ? k : 7, { dash: many ? "dot" : "solid" }),
      curve(k, runs[k].curves.val_loss, many ? `${runs[k].id} validation` : "validation", many ? k : 0)]);
    return { traces, layout: { xaxis: epochs, yaxis: { type: scaleType() }, shapes: resumed(), showlegend: true } };
  }

  const errorTitle = (prop) => (prop.task === "binary" ? "log loss" : `MAE${prop.unit ? ` [${prop.unit}]` : ""}`);
  const scaleType = () => (get("learning-log").checked ? "log" : "linear");

  function validation() {
    const measure = get("learning-measure").value;
    const prop = byKey(measure);
    const values = (k) => (prop ? runs[k].curves.val_mae[measure] || [] : runs[k].curves.val_score);
    const traces = [...withCurves.map((k) => curve(k, values(k), runs[k].id, many ? k : 0)), ...best(values)];
    const median = { type: "line", x0: 0, x1: 1, xref: "paper", y0: 1, y1: 1, line: { color: phase2.color("s8"), width: 1, dash: "dot" } };
    return { traces, layout: { xaxis: epochs, showlegend: many, shapes: [...resumed(), ...(prop ? [] : [median])],
      yaxis: { type: scaleType(), title: { text: prop ? errorTitle(prop) : "score" } } } };
  }

  const column = (name, title) => () => ({ traces: withCurves.map((k) => curve(k, runs[k].curves[name], runs[k].id, many ? k : 0)),
    layout: { xaxis: epochs, yaxis: { title: { text: title }, rangemode: "tozero" }, showlegend: many, shapes: resumed() } });

  if (withCurves.length) {
    phase2.plotWhenSeen(get("loss"), losses);
    phase2.plotWhenSeen(get("learning-error"), validation);
    phase2.plotWhenSeen(get("speed"), column("structures_per_second", "crystals/s"));
    phase2.plotWhenSeen(get("seconds"), column("seconds", "seconds"));
    const again = () => {
      phase2.plot(get("loss"), losses);
      phase2.plot(get("learning-error"), validation);
    };
    get("learning-measure").addEventListener("change", again);
    get("learning-log").addEventListener("change", again);
  }

  // ---- labels ----
  const LEARNED = { log1p: "log(1 + x)", asinh: "asinh(x)", logit: "log(u / (1 − u)), u: 0 to 1" };

  function labelTitle(prop) {
    if (prop.task === "binary") return "label: 0 is false, 1 is true";
    const learned = LEARNED[prop.transform];
    if (learned) return prop.transform === "logit" ? learned : `${learned}, x in ${prop.unit || "its own unit"}`;
    return `label${prop.unit ? ` [${prop.unit}]` : ""}`;
  }

  function labels(key) {
    const { low, high, ...parts } = runs[0].labels[key];
    const prop = byKey(key);
    const width = (high - low) / parts.train.length;
    const centers = parts.train.map((_, k) => low + (k + 0.5) * width);
    const share = (counts) => {
      const total = counts.reduce((sum, count) => sum + count, 0) || 1;
      return counts.map((count) => (100 * count) / total);
    };
    const colors = { train: phase2.series()[7], val: phase2.series()[1], test: phase2.series()[0] };
    const names = { train: "training", val: "validation", test: "test" };
    const traces = Object.keys(names).map((part) => (part === "train"
      ? { x: centers, y: share(parts.train), name: names[part], type: "bar", width, marker: { color: rgba(colors[part], 0.4) } }
      : { x: centers, y: share(parts[part]), name: names[part], mode: "lines", line: { shape: "hvh", color: colors[part], width: 1.7 } }));
    return { traces, layout: { bargap: 0, showlegend: false, xaxis: { title: { text: labelTitle(prop) } },
      yaxis: { title: { text: "%" }, rangemode: "tozero" } } };
  }

  for (const key of Object.keys(runs[0].labels)) {
    const figure = element("figure");
    const plot = element("div", { className: "plot short", role: "group", "aria-label": `Histogram of the labels, ${byKey(key).title}` });
    figure.append(element("h3", { text: byKey(key).title }), plot);
    get("label-plots").append(figure);
    phase2.plotWhenSeen(plot, () => labels(key));
  }
  if (get("label-plots") && !Object.keys(runs[0].labels).length) get("label-plots").replaceChildren(element("p", { className: "muted", text: "Not recorded with this run." }));
})();
