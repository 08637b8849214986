// Elements, made of parts. Text is text always: nothing on this page parses markup.
"use strict";
const page = { listeners: [], place: phase2.data("page") };
{
  function put(element, name, value) {
    if (value === undefined || value === null || value === false) return;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "class") element.className = value;
    else if (name in element && name !== "list" && name !== "form") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }

  page.h = (tag, parts = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(parts)) put(element, name, value);
    element.append(...children.flat(3).filter((one) => one !== null && one !== undefined && one !== false));
    return element;
  };

  page.$ = (id) => document.getElementById(id);
  page.fill = (id, ...children) => page.$(id).replaceChildren(...children.flat(3).filter((one) => one !== null));

  // Loads a script beside the page: a page that is opened from a disk may do that, and no more.
  const scripts = new Map();
  page.load = (source) => {
    if (!scripts.has(source)) {
      const done = new Promise((resolve, reject) => {
        const failed = () => {
          scripts.delete(source);
          reject(new Error(`${source} cannot be loaded`));
        };
        document.head.append(page.h("script", { src: source, onload: resolve, onerror: failed }));
      });
      scripts.set(source, done);
    }
    return scripts.get(source);
  };

  page.on = (listener) => page.listeners.push(listener);
  page.changed = (what) => page.listeners.forEach((listener) => listener(what));
}
