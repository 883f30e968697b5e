// Runs before anything is painted, so that nothing flashes in the wrong colours, moves or disappears again.
(() => {
  const root = document.documentElement;
  const { katex: sheet, integrity, fonts, textFonts, originals } = document.currentScript.dataset;
  const katex = sheet && new URL(sheet, location.href).href;
  root.classList.add("js");
  let theme, shapes, seen, view;
  try {
    theme = localStorage.getItem("theme");
    shapes = localStorage.getItem("shapes");
    seen = localStorage.getItem("katex");
    view = localStorage.getItem("view");
  } catch { /* Storage may be forbidden: the page is shown as at the first visit. */ }
  if (theme === "light" || theme === "dark") root.dataset.theme = theme;
  root.dataset.shapes = shapes || (matchMedia("(min-width: 62rem)").matches ? "on" : "off");
  // The fonts of text, at once: they count only if they are here before the first line is painted. So are the originals
  // of a reader who has asked for them before. A page on a disk may not load anything ahead, and has it soon enough.
  const preload = (href, as, more) => {
    document.head.append(Object.assign(document.createElement("link"), { rel: "preload", href, as, ...more }));
  };
  if (location.protocol !== "file:") {
    for (const address of textFonts?.split(" ") || []) preload(address, "font", { type: "font/woff2", crossOrigin: "" });
    if (originals && view && view !== "view-t") preload(originals, "script");
  }
  if (!katex || !fonts) return;

  // Formulas: KaTeX's layout if its stylesheet and all fonts are here before the first formula is painted, and the
  // browser's MathML otherwise, for as long as the page is open. Until then the stylesheet applies to no medium.
  const link = document.createElement("link");
  const faces = fonts.split(" ").map((name) => {
    const [family, style] = name.split("-");
    const address = new URL(`fonts/KaTeX_${name}.woff2`, katex);
    return new FontFace(`KaTeX_${family}`, `url("${address}")`, {
      weight: style.startsWith("Bold") ? "bold" : "normal", style: style.endsWith("Italic") ? "italic" : "normal",
    });
  });
  let isHere = false;
  const load = () => {
    Object.assign(link, { rel: "stylesheet", href: katex, media: "not all" });
    if (new URL(katex).host !== location.host) link.crossOrigin = "anonymous";
    if (integrity) link.integrity = integrity;
    const styles = new Promise((resolve, reject) => Object.assign(link, { onload: resolve, onerror: reject }));
    document.head.append(link);
    Promise.all([styles, ...faces.map((face) => face.load())]).then(() => {
      isHere = true;
      try { localStorage.setItem("katex", katex); } catch { /* Storage may be forbidden: the next visit is the first. */ }
    }, () => { /* The browser has said what is missing, and formulas are MathML. */ });
  };
  const formulas = document.getElementsByClassName("katex");
  const decide = () => { // before each frame, until one is to have a formula
    if (!formulas.length) requestAnimationFrame(decide);
    else if (isHere) {
      for (const face of faces) document.fonts.add(face);
      link.media = "all";
      root.classList.add("katex-ready");
    }
  };
  if (seen === katex) { // in the browser's cache, most likely
    load();
    requestAnimationFrame(decide);
  } else addEventListener("load", load); // for the next page
})();
