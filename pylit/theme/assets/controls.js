// The controls in the bar, and their keys; what a reader chose is remembered.
(() => {
  const root = document.documentElement;
  const words = document.body.dataset;
  const store = (key, value) => {
    try {
      if (value === undefined) return localStorage.getItem(key);
      localStorage.setItem(key, value);
    } catch { /* Storage may be forbidden: nothing is remembered. */ }
  };

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

  // Shapes of tensors: remembered, and at first shown where there is room.
  const shapes = document.getElementById("shapes");
  if (shapes) {
    shapes.checked = root.dataset.shapes !== "off";
    shapes.addEventListener("change", () => {
      root.dataset.shapes = shapes.checked ? "on" : "off";
      store("shapes", root.dataset.shapes);
    });
  }

  // Another language or view shows the same place.
  const last = (elements) => {
    const line = (document.querySelector(".bar")?.offsetHeight || 0) + 40;
    return [...elements].filter((e) => e.getBoundingClientRect().top <= line).at(-1);
  };
  const rows = document.querySelectorAll("main :is(.row, h1, h2, h3, h4)[id]");
  for (const a of document.querySelectorAll(".languages a")) {
    a.addEventListener("click", () => {
      const place = scrollY > 0 && last(rows);
      a.hash = place ? place.id : "";
    });
  }
  for (const input of views) {
    const label = input.parentElement;
    let place, top;
    const remember = (event) => {
      if (event.type === "click" && event.target === input) return; // it has changed the page already
      place = last(rows);
      top = place?.getBoundingClientRect().top;
    };
    for (const type of ["pointerdown", "keydown", "click"]) label.addEventListener(type, remember, { capture: true });
    input.addEventListener("change", () => {
      if (place) scrollBy({ top: place.getBoundingClientRect().top - top, behavior: "instant" });
    });
  }

  // Search: its script and its index come when they are first asked for.
  const finder = document.getElementById(":search");
  const opener = document.querySelector("button.find");
  let script;
  const find = () => {
    const open = () => finder.dispatchEvent(new Event("find"));
    if (script) return open();
    script = document.createElement("script");
    script.src = new URL("search.js", document.querySelector("script[src$='controls.js']").src);
    script.onload = open;
    document.head.append(script);
  };
  if (finder) {
    opener.hidden = false;
    opener.addEventListener("click", find);
  }

  // Keys, and the sheet that tells of them.
  const sheet = document.getElementById(":keys");
  if (!sheet) return;
  const active = sheet.querySelector("input");
  active.checked = store("keys") !== "off";
  active.addEventListener("change", () => store("keys", active.checked ? "on" : "off"));
  const help = document.querySelector("button.help");
  help.hidden = false;
  help.addEventListener("click", () => sheet.showModal());
  sheet.addEventListener("click", (event) => event.target === sheet && sheet.close());
  const click = (...selectors) => () => selectors.map((s) => document.querySelector(s)).find(Boolean)?.click();
  const keys = {
    "/": () => finder && find(),
    "?": () => sheet.showModal(),
    t: click("button.theme"),
    s: click("#shapes"),
    e: click("#edit"),
    v: click("label:has(#view-t:checked) + label", "label:has(#view-b:checked) + label", "label:has(#view-t)"),
    l: click(".languages li:has([aria-current]) + li a", ".languages a"),
    n: click('[rel="next"]'),
    p: click('[rel="prev"]'),
  };
  const isText = (element) => element.matches("textarea, input:not([type=checkbox], [type=radio])");
  document.addEventListener("keydown", (event) => {
    const command = event.ctrlKey || event.metaKey;
    const key = command ? { k: "/" }[event.key] : event.key;
    if (event.altKey || document.querySelector("dialog[open]") || isText(event.target)) return;
    if (!Object.hasOwn(keys, key) || !(command || active.checked || key === "?")) return;
    event.preventDefault();
    keys[key]();
  });
})();
