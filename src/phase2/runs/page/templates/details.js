// One run, in a dialog: what is known of it, and the commands that take it further.
{
  const { h, fill, $ } = page;

  // The name of a run is part of an address, whatever it is.
  page.reportLink = (run, words) => {
    const base = page.place.reports;
    if (!run.report || base === null) return null;
    const address = base + run.prefix.split("/").map(encodeURIComponent).join("/") + "/report.html";
    return h("a", { href: address, target: "_blank", rel: "noopener", "aria-label": `Report of ${run.id}` }, words);
  };

  // A name for a shell: quoted where it could be anything but a word.
  const quoted = (text) => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

  function command(title, words) {
    const copy = h("button", { type: "button", class: "copy", "aria-label": `Copy: ${title}` }, "Copy");
    copy.dataset.copy = words;
    return h("div", { class: "command" }, h("h3", {}, title), h("div", { class: "copied" }, h("code", {}, words), copy));
  }

  const HANDOFF = {
    ready: () => "Ready: it has its model, its hand-off page and its model card.",
    incomplete: (run) => `Incomplete: it lacks ${run.missing.join(", ")}.`,
    resumable: () => "Not yet: it can be resumed.",
    none: () => "None: it failed.",
  };

  function commands(run) {
    const store = `--store ${quoted(page.model.store)}`;
    const name = quoted(run.prefix);
    const found = [command("Show it", `phase2 runs show ${name} ${store}`)];
    if (run.handoff === "ready" || run.handoff === "incomplete") {
      found.push(command("Download it", `phase2 pull ${name} ${store} --to models`));
      found.push(command("Predict with it", `phase2 predict --run ${name} ${store} --cif structure.cif`));
    } else if (run.handoff === "resumable") {
      found.push(command("Resume it", `phase2 train ${store} --resume ${quoted(run.id)}`));
    }
    if (run.command) found.push(command("Make it again", run.command));
    return found;
  }

  function facts(run) {
    const shown = page.columns.filter((column) => column.group === undefined).map((column) => [column.title, column.show(run)]);
    return h("dl", { class: "facts" }, shown.filter(([, value]) => value !== "").map(([title, value]) => h("div", {}, h("dt", {}, title), h("dd", {}, value))));
  }

  function errors(run) {
    const rows = page.model.properties.filter(({ key }) => run.errors[key]).map(({ key, title, unit, error }) => h("tr", {},
      h("th", { scope: "row" }, title, h("small", {}, ` ${error === "log loss" ? error : unit}`)), run.errors[key].map((value) => h("td", { class: "number" }, page.number(value)))));
    if (!rows.length) return null;
    // Of what is true or false, the baseline is the share of true training labels.
    const isMedian = page.model.properties.every(({ key, error }) => !run.errors[key] || error === "MAE");
    const heads = ["Property", "Validation error", "Test error", `${isMedian ? "Median" : "Baseline"}, validation`, "Gradient boosting, validation"];
    return h("div", { class: "scroll", tabIndex: 0, role: "region", "aria-label": "Errors" }, h("table", {}, h("thead", {}, h("tr", {}, heads.map((name, place) => h("th", { scope: "col", class: place ? "number" : "" }, name)))), h("tbody", {}, rows)));
  }

  page.showDetails = (run) => {
    $("details-title").textContent = run.id;
    fill("details-body",
      h("p", {}, h("span", { class: `chip state-${run.state}` }, run.state), ` ${run.shown} `, page.reportLink(run, "Open its report")),
      h("p", {}, HANDOFF[run.handoff](run)),
      run.reason ? h("p", { class: "muted" }, run.reason) : null,
      errors(run), commands(run), facts(run));
    $("details").showModal();
  };
}
