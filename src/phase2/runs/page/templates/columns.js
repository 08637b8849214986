// Columns of the table: what each shows, and by what it is sorted.
{
  const { number, whole, duration, bytes, time, setting } = page;

  const SHOWN = ["state", "algorithm", "level", "score", "epochs", "started", "seconds", "source", "seed", "handoff"];
  const MOST_ERRORS = 4;

  const text = (id, title, value = (run) => run[id]) => ({ id, title, value, show: (run) => value(run) ?? "" });
  const numeric = (id, title, show = number, value = (run) => run[id]) => ({
    id, title, value, numeric: true, show: (run) => show(value(run)),
  });

  const FIXED = [
    text("state", "State"),
    text("algorithm", "Algorithm"),
    text("level", "Level"),
    { ...numeric("score", "Score"), help: "Validation MAE / MAE of the median, over the properties; lower is better" },
    { ...numeric("epochs", "Epochs"), show: (run) => (run.planned ? `${run.epochs ?? 0} / ${run.planned}` : whole(run.epochs)) },
    text("started", "Started (UTC)"),
    numeric("seconds", "Duration", duration),
    text("source", "Data"),
    numeric("seed", "Seed", whole),
    text("handoff", "Hand-off"),
    text("properties", "Properties", (run) => run.properties.join(", ")),
    numeric("bestEpoch", "Best epoch", whole),
    numeric("crystals", "Crystals trained on", whole),
    text("split", "Split"),
    text("data", "Data fingerprint"),
    numeric("attempts", "Attempts", whole),
    numeric("resumed", "Times resumed", whole),
    numeric("epochSeconds", "Time per epoch", duration),
    text("ended", "Ended (UTC)"),
    text("hardware", "Hardware"),
    text("host", "Ran on"),
    text("code", "phase2"),
    text("from", "Started from"),
    text("reason", "Why it ended"),
    numeric("size", "Size", bytes),
  ].map((column) => (/^(started|ended)$/.test(column.id) ? { ...column, show: (run) => time(run[column.id]) } : column));

  function ofProperty({ key, title, unit, error }) {
    const column = numeric(`mae:${key}`, title, number, (run) => run.val(key));
    return { ...column, key, unit: error === "log loss" ? error : unit, error, group: "error", help: `Validation ${error} of ${title.toLowerCase()}${unit ? `, ${unit}` : ""}` };
  }

  function ofSetting(path) {
    const value = (run) => page.settingOf(run, path);
    const found = page.model.runs.find((run) => value(run) !== undefined && value(run) !== null);
    const isNumeric = found !== undefined && typeof value(found) === "number";
    const column = { id: `set:${path}`, title: path, group: "setting", value, show: (run) => setting(value(run)), numeric: isNumeric };
    return isNumeric ? column : { ...column, value: (run) => { const found = value(run); return found === undefined || found === null ? null : setting(found); } };
  }

  page.makeColumns = () => {
    const { properties, differing } = page.model;
    const place = FIXED.findIndex((column) => column.id === "epochs");
    const errors = properties.map(ofProperty);
    return [...FIXED.slice(0, place), ...errors, ...FIXED.slice(place), ...differing.map(ofSetting)];
  };

  page.shownByDefault = () => {
    const trained = new Map(page.model.properties.map(({ key }) => [key, 0]));
    for (const run of page.model.runs) for (const key of Object.keys(run.errors)) trained.set(key, trained.get(key) + 1);
    const keys = [...trained.keys()].filter((key) => trained.get(key) > 0);
    const most = keys.sort((a, b) => trained.get(b) - trained.get(a)).slice(0, MOST_ERRORS);
    return new Set([...SHOWN, ...most.map((key) => `mae:${key}`)]);
  };
}
