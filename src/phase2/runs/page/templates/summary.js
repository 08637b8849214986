// One line above all: how many runs there are, in which states.
{
  const { h, fill, whole } = page;

  page.drawSummary = () => {
    const counts = new Map();
    for (const run of page.model.runs) counts.set(run.state, (counts.get(run.state) ?? 0) + 1);
    const states = [...page.STATE_ORDER.keys()].filter((state) => counts.has(state));
    const one = (state) => h("li", {}, h("button", { type: "button", class: `chip state-${state}`, onclick: () => { page.setFacet("state", [state]); page.showView("runs"); } }, `${whole(counts.get(state))} ${state}`));
    const ready = page.model.runs.filter((run) => run.handoff === "ready").length;
    const handed = h("li", {}, h("button", { type: "button", class: "chip handoff-ready", onclick: () => { page.setFacet("handoff", ["ready"]); page.showView("runs"); } }, `${whole(ready)} ready to hand off`));
    fill("summary", states.map(one), handed);
    const lost = page.model.unreadable;
    page.$("unreadable").hidden = !lost.length;
    page.$("unreadable").textContent = lost.length ? `${phase2.counted(lost.length, "run")} cannot be read: ${lost.slice(0, 3).join(", ")}${lost.length > 3 ? " …" : ""}. 'phase2 runs show' says why.` : "";
  };
}
