// What every page has: data, theme, copy buttons, the current section, and plots in the colours of the theme.
"use strict";

const phase2 = (() => {
  const root = document.documentElement;
  const probe = document.createElement("span");
  probe.hidden = true;
  document.body.append(probe);

  /** Data that the page holds under a name; undefined where it holds none. */
  function data(name) {
    const element = document.getElementById(`data-${name}`);
    return element ? JSON.parse(element.textContent) : undefined;
  }

  /** A colour of the theme as it is now, by the name of its custom property without the dashes. */
  function color(name) {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  }

  /** Colours of lines and points, in the order in which they are used. */
  function series() {
    return ["s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8"].map(color);
  }

  /** Text for Plotly, which reads some HTML: nothing in it is markup. */
  function plotText(text) {
    return String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  }

  /** A number with its noun: "1 run", "2,000 runs". */
  function counted(count, noun) {
    return `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
  }

  /** Say something to readers of the screen who do not see it. */
  function announce(text) {
    document.getElementById("announcement").textContent = text;
  }

  function isDark() {
    return root.dataset.theme === "dark"
      || (root.dataset.theme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  }

  // ---- theme ----
  const themeListeners = [];

  /** Call a function whenever colours changed. */
  function onTheme(listener) {
    themeListeners.push(listener);
  }

  function themeChanged() {
    for (const listener of themeListeners) listener();
  }

  for (const input of document.querySelectorAll(".themes input")) {
    input.checked = input.value === root.dataset.theme;
    input.addEventListener("change", () => {
      root.dataset.theme = input.value;
      try {
        localStorage.setItem("phase2-theme", input.value);
      } catch {
        // It lasts until the page is closed.
      }
      themeChanged();
    });
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", themeChanged);

  // ---- copy ----
  async function copyText(text) {
    if (navigator.clipboard) {
      try {
        await navigator.clipboard.writeText(text);
        return true;
      } catch {
        // Not allowed here: the old way may be.
      }
    }
    const area = document.createElement("textarea");
    area.value = text;
    area.setAttribute("readonly", "");
    area.className = "hidden";
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("button[data-copy]");
    if (!button) return;
    const done = await copyText(button.dataset.copy);
    button.focus();
    button.dataset.state = done ? "done" : "failed";
    announce(done ? "Copied" : "The browser does not allow copying");
    setTimeout(() => delete button.dataset.state, 1600);
  });

  // ---- the section that is read, in the navigation ----
  const links = new Map(
    [...document.querySelectorAll("nav.contents a[href^='#']")].map((link) => [link.hash.slice(1), link]));
  if (links.size && "IntersectionObserver" in window) {
    const visible = new Set();
    const observer = new IntersectionObserver((entries) => {
      for (const entry of entries) {
        if (entry.isIntersecting) visible.add(entry.target.id);
        else visible.delete(entry.target.id);
      }
      const first = [...links.keys()].find((id) => visible.has(id));
      for (const [id, link] of links) {
        if (id === first) link.setAttribute("aria-current", "true");
        else link.removeAttribute("aria-current");
      }
    }, { rootMargin: "-15% 0px -60% 0px" });
    for (const id of links.keys()) {
      const section = document.getElementById(id);
      if (section) observer.observe(section);
    }
  }

  // ---- plots ----
  const plots = new Map();
  // Nothing leaves the page: Plotly's own button that sends a chart to its makers is taken away, with its address.
  const CONFIG = { responsive: true, displaylogo: false, showTips: false, showSendToCloud: false, plotlyServerURL: "",
    modeBarButtonsToRemove: ["sendChartToCloud", "select2d", "lasso2d", "autoScale2d"], toImageButtonOptions: { scale: 2 } };

  /** A layout in the theme's colours; what is given comes over it, axis by axis. */
  function layout(given = {}) {
    const axis = { gridcolor: color("grid"), zerolinecolor: color("line"), linecolor: color("line"),
      tickcolor: color("line"), automargin: true, title: { standoff: 8 } };
    const { xaxis = {}, yaxis = {}, ...rest } = given;
    return { font: { family: getComputedStyle(document.body).fontFamily, size: 12, color: color("text") },
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", colorway: series(),
      margin: { l: 52, r: 12, t: 12, b: 44 }, hovermode: "closest", dragmode: "zoom",
      hoverlabel: { bgcolor: color("surface"), bordercolor: color("line"), font: { color: color("text") }, align: "left" },
      legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom", bgcolor: "rgba(0,0,0,0)" },
      modebar: { bgcolor: "rgba(0,0,0,0)", color: color("muted"), activecolor: color("accent") },
      ...rest,
      xaxis: { ...axis, ...xaxis, title: { ...axis.title, ...xaxis.title } },
      yaxis: { ...axis, ...yaxis, title: { ...axis.title, ...yaxis.title } } };
  }

  /** Draw into an element, and again whenever colours change.
   * @param {HTMLElement} element where to draw
   * @param {() => {traces: object[], layout: object}} build what to draw, in the colours of the moment
   */
  function plot(element, build) {
    const { traces, layout: given } = build();
    plots.set(element, build);
    return Plotly.react(element, traces, layout({ uirevision: "kept", ...given }), CONFIG);
  }

  /** Draw into an element once it comes near the screen, or before the page is printed. */
  function plotWhenSeen(element, build) {
    plots.set(element, build);
    if (!("IntersectionObserver" in window)) {
      plot(element, build);
      return;
    }
    const observer = new IntersectionObserver((entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      observer.disconnect();
      if (!isDrawn(element)) plot(element, build);
    }, { rootMargin: "400px" });
    observer.observe(element);
  }

  function isDrawn(element) {
    return element.classList.contains("js-plotly-plot");
  }

  onTheme(() => {
    for (const [element, build] of plots) if (isDrawn(element)) plot(element, build);
  });

  let before = null;
  addEventListener("beforeprint", () => {
    before = root.dataset.theme;
    root.dataset.theme = "light";
    for (const details of document.querySelectorAll("details[data-print]:not([open])")) {
      details.open = true;
      details.dataset.opened = "";
    }
    for (const [element, build] of plots) {
      plot(element, build);
      Plotly.relayout(element, { width: Math.min(680, element.clientWidth || 680) });
    }
    for (const listener of themeListeners) listener();
  });
  addEventListener("afterprint", () => {
    root.dataset.theme = before;
    for (const details of document.querySelectorAll("details[data-opened]")) {
      details.open = false;
      delete details.dataset.opened;
    }
    themeChanged();
    for (const element of plots.keys()) Plotly.relayout(element, { autosize: true, width: null });
  });

  return { data, color, series, plotText, counted, announce, isDark, onTheme, layout, plot, plotWhenSeen };
})();
