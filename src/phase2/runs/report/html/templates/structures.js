// The worst predictions, and the viewer that draws the chosen one: a single WebGL context.
(() => {
  const { runs, byKey, short, withUnit, element, get, chosen } = report;
  if (!get("worst")) return;
  const SHOWN = 20;
  const NEAR = 0.02; // fractional distance from a face within which an atom is drawn on the opposite one, too
  const viewerElement = get("viewer");
  let rows = [], current = 0, viewer = null, shownStructure = null;

  const run = () => runs[Number(chosen("worst-run", "0"))];

  // ---- the table ----
  function list() {
    const key = get("worst-property").value;
    rows = run().worst.filter((one) => key === "all" || one.key === key).slice(0, SHOWN);
    const body = get("worst-rows");
    body.replaceChildren(...rows.map((one, index) => {
      const row = element("tr");
      const name = element("td");
      const button = element("button", { text: one.id, type: "button", "aria-pressed": "false", title: `Draw ${one.formula}` });
      button.addEventListener("click", () => choose(index));
      name.append(element("span", { className: "formula", text: one.formula }), button);
      const prop = byKey(one.key);
      row.append(name, element("td", { text: prop.title }), element("td", { text: withUnit(one.reference, prop), className: "number" }),
        element("td", { text: short(one.predicted), className: "number" }), element("td", { text: short(one.times), className: "number" }));
      return row;
    }));
    if (rows.length) choose(0, { quiet: true });
  }

  function choose(index, { quiet = false } = {}) {
    current = (index + rows.length) % rows.length;
    [...get("worst-rows").rows].forEach((row, k) => {
      row.classList.toggle("chosen", k === current);
      row.querySelector("button").setAttribute("aria-pressed", String(k === current));
    });
    if (!quiet) get("worst-rows").rows[current].scrollIntoView({ block: "nearest" });
    about(rows[current]);
    if (viewer || !quiet) show();
  }

  function about(one) {
    const prop = byKey(one.key);
    const line = element("p", { text: `${one.formula}, ${one.id}: ${prop.title.toLowerCase()} ${withUnit(one.reference, prop)}, predicted ${withUnit(one.predicted, prop)}.` });
    const known = [one.atoms && phase2.counted(one.atoms, "atom"), one.group > 0 && `${one.system}, space group ${one.group}`,
      one.distance !== undefined && `distance from training ${short(one.distance)}`].filter(Boolean).join("; ");
    const key = element("p", { className: "small" });
    const structure = run().structures[one.structure];
    for (const symbol of new Set(structure ? structure.symbols : [])) {
      const dot = element("span");
      dot.style.background = colorOf(symbol);
      const item = element("span", { className: "element-key" });
      item.append(dot, document.createTextNode(symbol));
      key.append(item);
    }
    get("viewer-about").replaceChildren(line, element("p", { text: known, className: "muted small" }), key);
  }

  // ---- the viewer ----
  const jmol = () => $3Dmol.elementColors.Jmol;
  const colorOf = (symbol) => `#${(jmol()[symbol] ?? 0x909090).toString(16).padStart(6, "0")}`;

  function inverse([a, b, c]) {
    const cross = (u, v) => [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]];
    const dot = (u, v) => u[0] * v[0] + u[1] * v[1] + u[2] * v[2];
    const volume = dot(a, cross(b, c));
    return [cross(b, c), cross(c, a), cross(a, b)].map((row) => row.map((value) => value / volume));
  }

  /** Atoms of the cell, and of its faces those that are images of atoms on the opposite face. */
  function atomsOf({ lattice, symbols, positions }, cells) {
    const rows = inverse(lattice);
    const found = [];
    positions.forEach((position, k) => {
      const frac = rows.map((row) => {
        const value = row[0] * position[0] + row[1] * position[1] + row[2] * position[2];
        return value - Math.floor(value + NEAR / 2);
      });
      const images = frac.map((value) => {
        const all = Array.from({ length: cells }, (_, shift) => shift);
        return value < NEAR ? [...all, cells] : all;
      });
      for (const i of images[0]) for (const j of images[1]) for (const l of images[2]) {
        const at = [frac[0] + i, frac[1] + j, frac[2] + l];
        const [x, y, z] = [0, 1, 2].map((axis) => lattice.reduce((sum, vector, m) => sum + at[m] * vector[axis], 0));
        found.push(`${symbols[k]} ${x.toFixed(4)} ${y.toFixed(4)} ${z.toFixed(4)}`);
      }
    });
    return found;
  }

  function drawBox(lattice) {
    const color = phase2.color("muted");
    const at = (i, j, k) => {
      const [x, y, z] = [0, 1, 2].map((axis) => i * lattice[0][axis] + j * lattice[1][axis] + k * lattice[2][axis]);
      return { x, y, z };
    };
    const corners = [0, 1];
    for (const i of corners) for (const j of corners) {
      for (const [start, end] of [[at(0, i, j), at(1, i, j)], [at(i, 0, j), at(i, 1, j)], [at(i, j, 0), at(i, j, 1)]]) {
        viewer.addLine({ start, end, color });
      }
    }
  }

  function start() {
    if (viewer) return true;
    try {
      viewer = $3Dmol.createViewer(viewerElement, { backgroundColor: phase2.color("surface"), antialias: true });
    } catch {
      viewer = null;
    }
    if (!viewer) viewerElement.replaceChildren(element("p", { className: "note warn", text: "This browser has no WebGL: structures cannot be drawn." }));
    return Boolean(viewer);
  }

  function show() {
    const structure = run().structures[rows[current].structure];
    if (!start()) return;
    viewer.removeAllModels();
    viewer.removeAllShapes();
    viewerElement.dataset.shown = structure ? structure.id : "";
    shownStructure = structure || null;
    if (!structure) {
      viewer.render();
      get("viewer-about").append(element("p", { className: "muted small", text: "Its structure was not recorded: it is too large, or the run is of an earlier version." }));
      return;
    }
    const atoms = atomsOf(structure, Number(get("viewer-cells").value));
    viewer.addModel(`${atoms.length}\n\n${atoms.join("\n")}\n`, "xyz");
    viewer.setStyle({}, { sphere: { scale: 0.27, colorscheme: "Jmol" }, stick: { radius: 0.11, colorscheme: "Jmol" } });
    drawBox(structure.lattice);
    viewer.setBackgroundColor(phase2.color("surface"));
    viewer.zoomTo();
    viewer.rotate(-75, "x");
    viewer.rotate(15, "y");
    viewer.rotate(8, "x");
    viewer.zoom(0.92);
    viewer.render();
  }

  const KEYS = { ArrowLeft: ["y", -10], ArrowRight: ["y", 10], ArrowUp: ["x", -10], ArrowDown: ["x", 10] };
  viewerElement.addEventListener("keydown", (event) => {
    if (!viewer) return;
    if (KEYS[event.key]) viewer.rotate(KEYS[event.key][1], KEYS[event.key][0]);
    else if (event.key === "+") viewer.zoom(1.15);
    else if (event.key === "-") viewer.zoom(0.87);
    else return;
    event.preventDefault();
    viewer.render();
  });
  // The page scrolls under the wheel; the viewer zooms with Ctrl.
  viewerElement.addEventListener("wheel", (event) => event.ctrlKey || event.stopPropagation(), { capture: true });

  get("worst-previous").addEventListener("click", () => choose(current - 1));
  get("worst-next").addEventListener("click", () => choose(current + 1));
  get("viewer-reset").addEventListener("click", show);
  get("viewer-cells").addEventListener("change", show);
  get("viewer-spin").addEventListener("change", (event) => viewer && viewer.spin(event.target.checked ? "y" : false));
  get("worst-property").addEventListener("change", list);
  get("worst-run")?.addEventListener("change", list);
  phase2.onTheme(() => {
    if (viewer && shownStructure) show();
  });
  list();
  const near = new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    near.disconnect();
    if (rows.length) show();
  }, { rootMargin: "300px" });
  near.observe(viewerElement);
  addEventListener("beforeprint", () => rows.length && show());
})();
