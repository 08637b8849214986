// What the parts of the report share: its data, small helpers, and the search in the configuration.
const report = (() => {
  const { properties: all, systems, runs } = phase2.data("report");
  const properties = all.filter(({ task }) => task !== "binary");
  const many = runs.length > 1;

  const byKey = (key) => properties.find((one) => one.key === key) ?? all.find((one) => one.key === key);

  /** A number with three significant digits, as the tables write it. */
  function short(value) {
    if (value === null || value === undefined || !Number.isFinite(value)) return "-";
    return Number(value.toPrecision(3)).toString();
  }

  /** A value with its unit. */
  const withUnit = (value, prop) => `${short(value)}${prop && prop.unit ? ` ${prop.unit}` : ""}`;

  const runColor = (index) => phase2.series()[index % 8];
  const rgba = (color, alpha) => color.replace("rgb(", "rgba(").replace(")", `, ${alpha})`);

  /** A new element with a class and a text. */
  function element(tag, { className = "", text = "", ...attributes } = {}) {
    const made = document.createElement(tag);
    if (className) made.className = className;
    if (text !== "") made.textContent = text;
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    return made;
  }

  const get = (id) => document.getElementById(id);
  const chosen = (id, otherwise) => (get(id) ? get(id).value : otherwise);

  // ---- configuration ----
  const search = get("settings-search");
  if (search) {
    const rows = [...get("settings").tBodies[0].rows].map((row) => [row, row.textContent.toLowerCase()]);
    const filter = () => {
      const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
      const changed = get("settings-changed").checked;
      const differ = get("settings-differ")?.checked;
      let shown = 0;
      for (const [row, text] of rows) {
        const keep = words.every((word) => text.includes(word))
          && !(changed && row.dataset.default === "yes") && !(differ && row.dataset.differs === "no");
        row.hidden = !keep;
        shown += keep;
      }
      get("settings-count").textContent = `${shown} of ${rows.length} settings`;
    };
    for (const id of ["settings-search", "settings-changed", "settings-differ"]) get(id)?.addEventListener("input", filter);
    filter();
  }

  return { properties, systems, runs, many, byKey, short, withUnit, runColor, rgba, element, get, chosen };
})();
