// What a page can do with scripts; without them it can all be read.
(() => {
  const root = document.documentElement;
  const words = document.body.dataset;
  const store = (key, value) => {
    try {
      if (value === undefined) return localStorage.getItem(key);
      localStorage.setItem(key, value);
    } catch { /* Storage may be forbidden: nothing is remembered. */ }
  };

  // Formulas: KaTeX's own layout once its stylesheet is there, MathML until then.
  if (words.katex && document.querySelector(".katex")) {
    const link = document.createElement("link");
    Object.assign(link, { rel: "stylesheet", href: words.katex, crossOrigin: "anonymous" });
    if (words.integrity) link.integrity = words.integrity;
    link.onload = () => root.classList.add("katex-ready");
    document.head.append(link);
  }

  // Colours: as the system, light, dark.
  const themes = ["system", "light", "dark"];
  const button = document.querySelector("button.theme");
  if (button) {
    const show = () => {
      const theme = root.dataset.theme || "system";
      button.dataset.now = theme;
      button.setAttribute("aria-label", words[`theme${theme[0].toUpperCase()}${theme.slice(1)}`]);
      button.title = button.getAttribute("aria-label");
    };
    button.hidden = false;
    button.addEventListener("click", () => {
      const next = themes[(themes.indexOf(root.dataset.theme || "system") + 1) % 3];
      if (next === "system") delete root.dataset.theme;
      else root.dataset.theme = next;
      store("theme", next);
      show();
    });
    show();
  }

  // Translation, both, original: remembered.
  const views = [...document.querySelectorAll('input[name="view"]')];
  const remembered = views.find((input) => input.id === store("view"));
  if (remembered) remembered.checked = true;
  for (const input of views) input.addEventListener("change", () => store("view", input.id));

  // Click a name in the code, or a symbol in a formula, and all its uses light up.
  const clear = () => document.querySelectorAll(".lit").forEach((e) => e.classList.remove("lit"));
  const light = (attribute, value) => {
    const found = document.querySelectorAll(`[${attribute}="${CSS.escape(value)}"]`);
    const off = [...found].every((e) => e.classList.contains("lit"));
    clear();
    if (!off) found.forEach((e) => e.classList.add("lit"));
  };
  document.addEventListener("click", (event) => {
    const name = event.target.closest("[data-n]");
    const symbol = event.target.closest("[data-sym]");
    if (name) light("data-n", name.dataset.n);
    else if (symbol) light("data-sym", symbol.dataset.sym);
    else if (!event.target.closest("a, button, input, label, summary, dialog")) clear();
  });
  document.addEventListener("keydown", (event) => event.key === "Escape" && clear());

  // A button that copies, on every piece of code.
  for (const pre of document.querySelectorAll("pre")) {
    const copy = document.createElement("button");
    copy.type = "button";
    copy.className = "copy";
    copy.textContent = words.copy;
    copy.addEventListener("click", async () => {
      const lines = [...pre.querySelectorAll(".l")];
      const text = lines.length
        ? lines.map((line) => [...line.childNodes].slice(1).map((n) => n.textContent).join("")).join("")
        : pre.querySelector("code").textContent;
      await navigator.clipboard.writeText(text.trimEnd() + "\n");
      copy.textContent = words.copied;
      setTimeout(() => { copy.textContent = words.copy; }, 1500);
    });
    pre.parentElement.append(copy);
  }

  // Pictures open large.
  for (const figure of document.querySelectorAll("figure.picture")) {
    const picture = figure.querySelector("svg, img");
    if (!picture) continue;
    const open = document.createElement("button");
    open.type = "button";
    open.className = "zoom";
    const name = picture.getAttribute("aria-label") || picture.alt || "";
    open.setAttribute("aria-label", `${words.zoom}: ${name}`);
    open.addEventListener("click", () => {
      const dialog = document.createElement("dialog");
      const close = document.createElement("button");
      close.type = "button";
      close.textContent = words.close;
      dialog.setAttribute("aria-label", name);
      dialog.append(picture.cloneNode(true), close);
      dialog.addEventListener("click", () => dialog.close());
      dialog.addEventListener("close", () => { dialog.remove(); open.focus(); });
      document.body.append(dialog);
      dialog.showModal();
    });
    figure.append(open);
  }

  // The table of contents follows the reader.
  const entries = new Map();
  for (const a of document.querySelectorAll("nav.toc a")) {
    const target = document.getElementById(decodeURIComponent(a.hash.slice(1)));
    if (target) entries.set(target, a);
  }
  if (entries.size && "IntersectionObserver" in window) {
    const targets = [...entries.keys()];
    const mark = () => {
      const passed = targets.filter((t) => t.getBoundingClientRect().top < innerHeight / 3);
      const current = passed.at(-1) || targets[0];
      for (const [target, a] of entries) {
        if (target === current) a.setAttribute("aria-current", "true");
        else a.removeAttribute("aria-current");
      }
    };
    const watch = new IntersectionObserver(mark, { rootMargin: "0px 0px -66% 0px" });
    targets.forEach((t) => watch.observe(t));
    mark();
  }
})();
