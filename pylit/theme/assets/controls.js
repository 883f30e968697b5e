// Finding one's way: the controls in the bar and their keys, the table of contents. What a reader chose is remembered.
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

  // Pictures of tensors: remembered. What shows them is in the stylesheet.
  const pictures = document.getElementById("pictures");
  if (pictures) {
    pictures.checked = store("pictures") !== "off";
    pictures.addEventListener("change", () => store("pictures", pictures.checked ? "on" : "off"));
  }

  // Where the reader is: the last of some elements, one below the other, that has come to the top of the screen.
  const top = (element) => { // of what is laid out: what is far from the screen is not
    while (!element.checkVisibility({ contentVisibilityAuto: true })) element = element.parentElement.closest(".part, .pair, .row, body");
    return element.getBoundingClientRect().top;
  };
  const last = (elements) => {
    const line = (document.querySelector(".bar")?.offsetHeight || 0) + 40;
    let [first, end] = [0, elements.length]; // they stand one below the other
    while (first < end) {
      const middle = (first + end) >> 1;
      if (top(elements[middle]) <= line) first = middle + 1;
      else end = middle;
    }
    return elements[first - 1];
  };

  // The table of contents follows the reader.
  const entries = new Map();
  for (const a of document.querySelectorAll("nav.toc a")) {
    const target = document.getElementById(decodeURIComponent(a.hash.slice(1)));
    if (target) entries.set(target, a);
  }
  if (entries.size) {
    const targets = [...entries.keys()];
    let marked;
    const mark = () => {
      const atEnd = scrollY > 0 && innerHeight + scrollY >= root.scrollHeight - 2;
      // The last sections are too short to be scrolled to the top: take the one that was asked for.
      const asked = atEnd && targets.find((e) => e.id === decodeURIComponent(location.hash.slice(1)));
      const seen = asked && top(asked) >= 0;
      const current = seen ? asked : atEnd ? targets.at(-1) : last(targets) || targets[0];
      if (current === marked) return;
      entries.get(marked)?.removeAttribute("aria-current");
      marked = current;
      const a = entries.get(current);
      a.setAttribute("aria-current", "true");
      const list = a.closest("nav");
      if (a.offsetTop < list.scrollTop || a.offsetTop + 40 > list.scrollTop + list.clientHeight) {
        list.scrollTop = a.offsetTop - list.clientHeight / 2;
      }
    };
    let waiting = false;
    addEventListener("scroll", () => {
      if (waiting) return;
      waiting = true;
      requestAnimationFrame(() => { waiting = false; mark(); });
    }, { passive: true });
    addEventListener("hashchange", mark);
    requestAnimationFrame(mark);
  }

  // The panel with the contents closes when it has been used.
  const contents = document.querySelector("nav.toc");
  contents?.addEventListener("click", (event) => {
    if (event.target.closest("a") && contents.matches(":popover-open")) contents.hidePopover();
  });

  // The heights of rows far from the screen are guessed, until there is time to lay them out: then the page keeps its
  // height while one reads on.
  const guessed = [...document.querySelectorAll(".row, .part, .pair")];
  const measure = (idle) => {
    while (guessed.length && idle.timeRemaining() > 8) {
      for (const element of guessed.splice(0, 4)) {
        element.style.contentVisibility = "visible";
        element.getBoundingClientRect();
      }
    }
    if (guessed.length) requestIdleCallback(measure);
  };
  if (window.requestIdleCallback) addEventListener("load", () => requestIdleCallback(measure));

  // Another language or view shows the same place.
  const rows = document.querySelectorAll("main :is(.row, h1, h2, h3, h4)[id]");
  // So do a reload and the way back. The browser alone cannot find it again where heights are still guesses.
  const name = `place ${location.pathname}`;
  addEventListener("pagehide", () => {
    const place = last(rows);
    try {
      if (place) sessionStorage.setItem(name, JSON.stringify([place.id, top(place)]));
      else sessionStorage.removeItem(name);
    } catch { /* Storage may be forbidden: the browser does what it can. */ }
  });
  if (["reload", "back_forward"].includes(performance.getEntriesByType("navigation")[0]?.type)) {
    let left;
    try { left = JSON.parse(sessionStorage.getItem(name)); } catch { /* as above */ }
    const place = left && document.getElementById(left[0]);
    if (place) {
      history.scrollRestoration = "manual";
      const back = () => {
        place.scrollIntoView({ behavior: "instant" });
        scrollBy({ top: place.getBoundingClientRect().top - left[1], behavior: "instant" });
      };
      // Rows that come near are laid out a frame later, and push: hold on until that is over, or the reader does something.
      let until = Infinity;
      addEventListener("load", () => { until = Math.min(until, performance.now() + 1000); });
      for (const type of ["wheel", "touchstart", "pointerdown", "keydown"]) {
        addEventListener(type, () => { until = 0; }, { capture: true, once: true, passive: true });
      }
      let at, stood;
      const hold = () => {
        const y = scrollY;
        const stands = y + place.getBoundingClientRect().top;
        if (performance.now() > until || (stood === stands && at !== y)) {
          history.scrollRestoration = "auto";
          return;
        }
        back();
        at = scrollY;
        stood = at + place.getBoundingClientRect().top;
        requestAnimationFrame(hold);
      };
      hold();
    }
  }
  // Originals are on no page: they come when a reader asks for them, and then stand behind their translations.
  const { originals } = document.getElementById(":first").dataset;
  const put = () => {
    const all = [...document.querySelectorAll(".t")].filter((e) => !e.nextElementSibling?.matches(".o"));
    if (all.length !== pylitOriginals.length) return; // they are here, or a translator has changed the page meanwhile
    const place = last(rows);
    const before = place && top(place);
    all.forEach((e, i) => e.insertAdjacentHTML("afterend", pylitOriginals[i]));
    if (place) scrollBy({ top: top(place) - before, behavior: "instant" });
  };
  const ask = () => {
    if (!originals || views[0].checked || document.querySelector("script[src*='.originals.']")) return;
    const script = document.createElement("script");
    script.src = originals;
    script.onerror = () => { script.remove(); views[0].click(); };
    document.head.append(script);
  };
  addEventListener("originals", put);
  ask();
  const languages = [...document.querySelectorAll(".languages a")];
  for (const a of languages) {
    a.addEventListener("click", () => {
      store("language", a.hreflang);
      const place = scrollY > 0 && last(rows);
      a.hash = place ? place.id : "";
    });
  }
  for (const input of views) {
    const label = input.parentElement;
    let place, before;
    const remember = (event) => {
      if (event.type === "click" && event.target === input) return; // it has changed the page already
      place = last(rows);
      before = place && top(place);
    };
    for (const type of ["pointerdown", "keydown", "click"]) label.addEventListener(type, remember, { capture: true });
    input.addEventListener("change", () => {
      ask();
      if (place) scrollBy({ top: top(place) - before, behavior: "instant" });
    });
  }

  // The site opens in the language that was chosen last: its first page, when one comes from elsewhere.
  const chosen = languages.find((a) => a.hreflang === store("language") && !a.hasAttribute("aria-current"));
  const isEntered = performance.getEntriesByType("navigation")[0]?.type === "navigate"
    && !document.referrer.startsWith(`${location.origin}/`);
  if (chosen && isEntered && document.querySelector(".crumbs li:first-child > [aria-current]")) location.replace(chosen.href);

  // The map and menus close like a dialog.
  const menus = [...document.querySelectorAll(".bar details")];
  const shut = (event) => {
    const open = menus.find((e) => e.open && !(event.type === "click" && e.contains(event.target)));
    if (!open || event.key !== (event.type === "keydown" ? "Escape" : undefined)) return;
    open.open = false;
    if (event.key) open.firstElementChild.focus();
  };
  for (const type of ["click", "keydown"]) document.addEventListener(type, shut);

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
    opener.addEventListener("click", find);
  }

  // Keys, and the sheet that tells of them.
  const sheet = document.getElementById(":keys");
  if (!sheet) return;
  const active = sheet.querySelector("input");
  active.checked = store("keys") !== "off";
  active.addEventListener("change", () => store("keys", active.checked ? "on" : "off"));
  const help = document.querySelector("button.help");
  help.addEventListener("click", () => sheet.showModal());
  sheet.addEventListener("click", (event) => event.target === sheet && sheet.close());
  const click = (...selectors) => () => selectors.map((s) => document.querySelector(s)).find(Boolean)?.click();
  const keys = {
    "/": () => finder && find(),
    "?": () => sheet.showModal(),
    t: click("button.theme"),
    s: click("#shapes"),
    u: click(".pill:not([hidden])"),
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
