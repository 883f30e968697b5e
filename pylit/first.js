// Runs before anything is painted, so that nothing flashes in the wrong colours, moves or disappears again.
(() => {
  const root = document.documentElement;
  const { katex, integrity } = document.currentScript.dataset;
  root.classList.add("js");
  let theme, shapes, seen;
  try {
    theme = localStorage.getItem("theme");
    shapes = localStorage.getItem("shapes");
    seen = localStorage.getItem("katex");
  } catch { /* Storage may be forbidden: the page is shown as at the first visit. */ }
  if (theme === "light" || theme === "dark") root.dataset.theme = theme;
  root.dataset.shapes = shapes || (matchMedia("(min-width: 62rem)").matches ? "on" : "off");
  if (katex && katex === seen) { // it is in the browser's cache, and mostly here before the first paint
    const link = document.createElement("link");
    Object.assign(link, { id: ":katex", rel: "stylesheet", href: katex, crossOrigin: "anonymous" });
    if (integrity) link.integrity = integrity;
    link.onload = () => {
      link.dataset.loaded = "";
      if (!performance.getEntriesByName("first-contentful-paint").length) root.classList.add("katex-ready");
    };
    document.head.append(link);
  }
})();
