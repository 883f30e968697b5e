// What a page can do with scripts; without them it can all be read.
(() => {
  const words = document.body.dataset;
  const make = (name, properties) => Object.assign(document.createElement(name), properties);

  // Much work can wait until a reader comes near.
  const whenNear = (elements, act) => {
    const observer = new IntersectionObserver((entries) => {
      for (const entry of entries.filter((e) => e.isIntersecting)) {
        observer.unobserve(entry.target);
        act(entry.target, entry.boundingClientRect);
      }
    }, { rootMargin: "100%" });
    elements.forEach((element) => observer.observe(element));
  };

  // Point at a name in the code, or at a symbol in a formula, and all its uses light up; a click keeps the light on.
  const tied = JSON.parse(document.querySelector("main").dataset.symbols || "{}"); // symbol -> name
  const find = (attribute, value) => [...document.querySelectorAll(`[${attribute}="${CSS.escape(value)}"]`)];
  const plain = (symbol) => symbol.replace(/^\\/, ""); // `\eta` in a formula is `eta` in code
  const near = (element, selector) => { // in the same class or function
    const within = element.closest(".row")?.dataset.in;
    return within ? find("data-in", within).flatMap((row) => [...row.querySelectorAll(selector)]) : [];
  };
  // What drawings show or symbols stand for: its uses are places to go to, and its lines' shapes light up too.
  const parts = [...document.querySelectorAll("svg [data-n], svg [data-sym]")];
  const shown = new Set([...Object.values(tied), ...parts.map((e) => +(e.dataset.n || -1))]);
  const same = (element) => {
    const { n, sym } = element.dataset;
    if (sym !== undefined) {
      const names = sym in tied ? find("data-n", tied[sym])
        : near(element, ".code [data-n]").filter((e) => e.textContent === plain(sym));
      return [...find("data-sym", sym), ...names];
    }
    if (n === undefined) { // shapes: what made them
      return [...element.closest(".l").querySelectorAll("[data-n]")].filter((e) => shown.has(+e.dataset.n)).flatMap(same);
    }
    const symbols = Object.keys(tied).filter((s) => tied[s] === +n).flatMap((s) => find("data-sym", s));
    if (!symbols.length) {
      symbols.push(...near(element, "[data-sym]").filter((e) => plain(e.dataset.sym) === element.textContent));
    }
    return [...find("data-n", n), ...symbols];
  };
  let kept = false;
  const clear = () => {
    document.querySelectorAll(".lit").forEach((e) => e.classList.remove("lit"));
    kept = false;
    tell();
  };
  const pointed = (event) => event.target.closest?.("[data-n], [data-sym], .chips span")
    || event.target.closest?.(".looks li")?.querySelector("[data-n], [data-sym]") || (event.type.startsWith("focus")
    && event.target.matches(".formula") && [...event.target.querySelectorAll("[data-sym]")].find((e) => e.dataset.sym in tied)) || null;
  const light = (element) => {
    clear();
    for (const e of same(element)) {
      e.classList.add("lit");
      if (shown.has(+e.dataset.n)) e.closest(".l")?.querySelectorAll(".chips > span").forEach((chip) => chip.classList.add("lit"));
    }
    tell();
  };
  for (const type of ["pointerover", "focusin"]) {
    document.addEventListener(type, (event) => {
      const element = pointed(event);
      if (!kept && event.pointerType !== "touch" && element) light(element);
    });
  }
  for (const type of ["pointerout", "focusout"]) {
    document.addEventListener(type, (event) => !kept && pointed(event) && clear());
  }
  document.addEventListener("click", (event) => {
    const element = pointed(event);
    if (element && element.closest("a[href]") && !element.dataset.sym) return; // it leads somewhere
    if (element) {
      const again = kept && element.classList.contains("lit");
      if (again) clear();
      else { light(element); kept = true; }
    } else if (!event.target.closest("a, button, input, label, summary, dialog")) clear();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") clear();
    else if (["Enter", " "].includes(event.key) && event.target.matches("[data-n]:not(a), [data-sym]")) {
      event.preventDefault();
      event.target.dispatchEvent(new MouseEvent("click", { bubbles: true })); // parts of drawings have no `click`
    }
  });
  for (const e of document.querySelectorAll("[data-n], svg [data-sym]")) { // by keyboard, too; nothing inside a formula may take the focus
    if (!(shown.has(+e.dataset.n) || e.dataset.sym) || e.closest("a") || !e.textContent.trim()) continue;
    e.setAttribute("tabindex", 0);
    e.setAttribute("role", "button");
    e.closest("svg")?.setAttribute("role", "group"); // an image has no parts
  }

  // Uses that are lit and off the screen: how many there are, and a way to the next one.
  const pill = make("button", { type: "button", className: "pill", hidden: true });
  document.querySelector("main").append(pill);
  const box = (element) => { // of what is laid out: what is far from the screen is not
    while (!element.checkVisibility({ contentVisibilityAuto: true })) element = element.parentElement.closest(".part, .row, body");
    return element.getBoundingClientRect();
  };
  const away = () => { // one for each line or passage: below the screen, and above it
    const first = document.querySelector(".bar").getBoundingClientRect().bottom;
    const places = new Map();
    for (const e of document.querySelectorAll(":is([data-n], [data-sym]).lit")) {
      const place = e.closest(".l, .formula, p, li, dt, td, svg");
      if (e.checkVisibility() && !places.has(place)) places.set(place, e);
    }
    const found = [...places.values()].map((e) => [e, box(e)]);
    return [found.filter(([, r]) => r.top > innerHeight - 8), found.filter(([, r]) => r.bottom < Math.max(first, 0))]
      .map((list) => list.map(([e]) => e));
  };
  let waiting = false;
  const tell = () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      const [below, above] = document.querySelector(".lit") ? away() : [[], []];
      const count = below.length + above.length;
      pill.hidden = !count;
      pill.textContent = `${words.away.replace("%(count)s", count)} ${below.length ? "↓" : "↑"}`;
    });
  };
  addEventListener("scroll", () => (kept || !pill.hidden) && tell(), { passive: true });
  pill.addEventListener("click", () => {
    const [below, above] = away();
    const next = below[0] || above[0];
    if (!next) return;
    kept = true;
    const show = () => next.scrollIntoView({ block: "center", behavior: "instant" });
    show();
    requestAnimationFrame(show); // now that what was a guess on the way has its height
    next.focus({ preventScroll: true });
  });

  // What somebody typed in a session, without prompts and output: a line without a prompt goes on with what is above it.
  const typed = (code) => {
    const copy = code.cloneNode(true);
    for (const e of copy.querySelectorAll(".gp")) e.replaceChildren("\x01", ...e.childNodes, "\x02");
    for (const e of copy.querySelectorAll(".go")) e.prepend("\x03");
    let isOutput = true;
    return copy.textContent.split("\n").filter((line) => {
      if (line.startsWith("\x01")) isOutput = false;
      else if (line.startsWith("\x03")) isOutput = true;
      return !isOutput;
    }).map((line) => line.replace(/^(?:\x01[^\x02]* \x02|\x01[^\x02]*\x02 ?)+/, "").replace(/[\x01-\x03]/g, "")).join("\n");
  };

  // A button that copies, on every piece of code.
  whenNear(document.querySelectorAll("pre"), (pre) => {
    const copy = make("button", { type: "button", className: "copy" });
    const say = (text) => { copy.title = copy.ariaLabel = text; copy.classList.toggle("done", text === words.copied); };
    say(words.copy);
    copy.addEventListener("click", async () => {
      const lines = [...pre.querySelectorAll(".l")];
      let text = pre.querySelector("code").textContent;
      if (lines.length) {
        text = lines.map((line) => [...line.childNodes].map((n) => n.className === "chips" ? "" : n.textContent).join("")).join("");
      } else if (pre.querySelector(".gp")) {
        text = typed(pre.querySelector("code"));
      } else if (pre.parentElement.classList.contains("example")) { // too long to be coloured
        text = text.split("\n").filter((line) => /^(>>>|\.\.\.)( |$)/.test(line))
          .map((line) => line.slice(4)).join("\n");
      }
      await navigator.clipboard.writeText(text.trimEnd() + "\n");
      say(words.copied);
      setTimeout(() => say(words.copy), 1500);
    });
    pre.parentElement.append(copy);
  });

  // Pictures open large.
  whenNear(document.querySelectorAll("figure.picture:not(.chart)"), (figure) => {
    const picture = figure.querySelector("svg, img");
    if (!picture) return;
    const name = picture.ariaLabel || picture.alt || "";
    const open = make("button", { type: "button", className: "zoom", ariaLabel: `${words.zoom}: ${name}` });
    open.addEventListener("click", () => {
      const dialog = make("dialog", { className: "large", ariaLabel: name });
      dialog.append(picture.cloneNode(true), make("button", { type: "button", textContent: words.close }));
      dialog.addEventListener("click", () => dialog.close());
      dialog.addEventListener("close", () => { dialog.remove(); open.focus(); });
      document.body.append(dialog);
      dialog.showModal();
    });
    picture.addEventListener("click", (event) => !event.target.closest("a, [data-n], [data-sym]") && open.click());
    figure.removeAttribute("tabindex");
    figure.append(open);
  });

  // What a link leads to is unfolded.
  const unfold = (element) => {
    const folded = element?.closest("details:not([open])");
    if (!folded) return;
    folded.open = true;
    unfold(folded.parentElement);
    element.scrollIntoView();
  };
  const unfoldTarget = () => unfold(document.getElementById(decodeURIComponent(location.hash.slice(1))));
  addEventListener("hashchange", unfoldTarget);
  document.addEventListener("click", (event) => event.target.closest?.(".look") && requestAnimationFrame(unfoldTarget)); // once more
  unfoldTarget();

  // Lines: `#L118-L126` marks several; a click on a number with Shift makes it so.
  const lines = [...document.querySelectorAll(".l")];
  const markLines = () => {
    document.querySelectorAll(".marked").forEach((e) => e.classList.remove("marked"));
    const ends = /^#L(\d+)-L(\d+)$/.exec(location.hash)?.slice(1).map(Number);
    if (!ends) return;
    const chosen = lines.filter((e) => +e.id.slice(1) >= Math.min(...ends) && +e.id.slice(1) <= Math.max(...ends));
    chosen.forEach((e) => e.classList.add("marked"));
    chosen.forEach(unfold);
    chosen[0]?.scrollIntoView();
  };
  addEventListener("hashchange", markLines);
  markLines();
  document.addEventListener("pointerover", ({ target }) => {
    const line = target.closest?.(".l");
    if (!line || line.querySelector(".no")) return;
    line.prepend(make("a", { className: "no", href: `#${line.id}`, tabIndex: -1, ariaLabel: line.id }));
  });
  document.addEventListener("click", (event) => {
    const number = event.shiftKey && event.target.closest?.(".no");
    const from = /^#(L\d+)/.exec(location.hash);
    if (!number || !from) return;
    event.preventDefault();
    getSelection().removeAllRanges();
    const ends = [from[1], number.hash.slice(1)].sort((a, b) => a.slice(1) - b.slice(1));
    location.hash = ends.join("-");
  });
})();
