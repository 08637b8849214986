// The runs that the page shows, and what of them may be sorted, filtered and searched.
{
  const ABSENT = -1;
  const STATES = ["running", "finished", "interrupted", "unfinished", "failed", "pruned"];

  page.STATE_ORDER = new Map(STATES.map((name, place) => [name, place]));
  page.model = null;

  function describe(run) {
    run.val = (key) => run.errors[key]?.[0] ?? null;
    run.text = [run.shown, run.state, run.algorithm, run.level, run.source, run.data, run.host, run.hardware, run.code,
      run.reason, run.from, run.split, run.handoff, ...run.properties].filter(Boolean).join(" ").toLowerCase();
  }

  // Called by the script of the runs.
  page.setData = (content) => {
    const { paths, values, common } = content.settings;
    const places = new Map(paths.map((path, place) => [path, place]));
    const { fields } = content;
    content.runs = content.runs.map((row) => {
      const run = {};
      for (let k = 0; k < fields.length; k += 1) run[fields[k]] = row[k];
      return run;
    });
    content.runs.forEach(describe);
    const differing = new Set();
    for (const run of content.runs) {
      run.own = new Map(run.settings);
      for (const path of run.own.keys()) differing.add(path);
    }
    page.model = {
      ...content,
      places,
      values,
      common: new Map(common),
      differing: paths.filter((_, place) => differing.has(place)),
      byPrefix: new Map(content.runs.map((run) => [run.prefix, run])),
    };
    page.changed("data");
  };

  page.settingOf = (run, path) => {
    const { places, values, common } = page.model;
    const place = places.get(path);
    if (place === undefined) return undefined;
    const value = run.own.get(place) ?? common.get(place);
    return value === ABSENT ? undefined : values[value];
  };

  page.title = (key) => page.model.properties.find((one) => one.key === key)?.title ?? key;
  page.unit = (key) => page.model.properties.find((one) => one.key === key)?.unit ?? "";

  // Errors compare between runs of the same crystals and split alone.
  page.dataSets = (runs) => {
    const sets = new Map();
    for (const run of runs) {
      if (!run.data) continue;
      const found = sets.get(run.data) ?? { data: run.data, source: run.source, crystals: run.crystals, runs: [] };
      found.runs.push(run);
      sets.set(run.data, found);
    }
    return [...sets.values()].sort((a, b) => b.runs.length - a.runs.length);
  };
}
