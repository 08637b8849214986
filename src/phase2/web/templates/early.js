// Before the first paint: the theme that the reader chose last.
(() => {
  "use strict";
  let chosen = null;
  try {
    chosen = localStorage.getItem("phase2-theme");
  } catch {
    // A browser that keeps nothing for files shows the system's theme.
  }
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
})();
