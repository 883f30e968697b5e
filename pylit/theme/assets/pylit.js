// What a page can do with scripts; without them it can all be read.
(() => {
  const root = document.documentElement;
  const words = document.body.dataset;

  // Formulas: KaTeX's own layout once its stylesheet is there, MathML until then.
  if (words.katex && document.querySelector(".katex")) {
    const link = document.createElement("link");
    Object.assign(link, { rel: "stylesheet", href: words.katex, crossOrigin: "anonymous" });
    if (words.integrity) link.integrity = words.integrity;
    link.onload = () => root.classList.add("katex-ready");
    document.head.append(link);
  }

  // Point at a name in the code, or at a symbol in a formula, and all its uses light up; a click keeps the light on.
  const tied = JSON.parse(document.querySelector("main").dataset.symbols || "{}"); // symbol -> name
  const find = (attribute, value) => [...document.querySelectorAll(`[${attribute}="${CSS.escape(value)}"]`)];
  const plain = (symbol) => symbol.replace(/^\\/, ""); // `\eta` in a formula is `eta` in code
  const near = (element, selector) => { // in the same class or function
    const within = element.closest(".row")?.dataset.in;
    return within ? find("data-in", within).flatMap((row) => [...row.querySelectorAll(selector)]) : [];
  };
  const same = (element) => {
    const { n, sym } = element.dataset;
    if (sym !== undefined) {
      const names = sym in tied ? find("data-n", tied[sym])
        : near(element, "[data-n]").filter((e) => e.textContent === plain(sym));
      return [...find("data-sym", sym), ...names];
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
  };
  const pointed = (event) => event.target.closest?.("[data-n], [data-sym]") || (event.type.startsWith("focus")
    && event.target.matches(".formula") && [...event.target.querySelectorAll("[data-sym]")].find((e) => e.dataset.sym in tied));
  const light = (element) => { clear(); same(element).forEach((e) => e.classList.add("lit")); };
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
      event.target.click();
    }
  });
  for (const symbol of Object.keys(tied)) { // by keyboard, too; nothing inside a formula may take the focus
    for (const e of find("data-n", tied[symbol])) {
      if (e.closest("a")) continue;
      e.tabIndex = 0;
      e.setAttribute("role", "button");
    }
  }

  // A button that copies, on every piece of code.
  for (const pre of document.querySelectorAll("pre")) {
    const copy = document.createElement("button");
    copy.type = "button";
    copy.className = "copy";
    copy.textContent = words.copy;
    copy.addEventListener("click", async () => {
      const lines = [...pre.querySelectorAll(".l")];
      let text = pre.querySelector("code").textContent;
      if (lines.length) {
        text = lines.map((line) => [...line.childNodes].slice(1).map((n) => n.className === "chips" ? "" : n.textContent).join("")).join("");
      } else if (pre.parentElement.classList.contains("example")) { // without prompts and output
        text = text.split("\n").filter((line) => /^(>>>|\.\.\.)( |$)/.test(line))
          .map((line) => line.slice(4)).join("\n");
      }
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
      dialog.className = "large";
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

  // Lines: `#L118-L126` marks several; a click on a number with Shift makes it so.
  const numbers = [...document.querySelectorAll(".l > [id]")];
  const markLines = () => {
    document.querySelectorAll(".marked").forEach((e) => e.classList.remove("marked"));
    const ends = /^#L(\d+)-L(\d+)$/.exec(location.hash)?.slice(1).map(Number);
    if (!ends) return;
    const chosen = numbers.filter((a) => +a.id.slice(1) >= Math.min(...ends) && +a.id.slice(1) <= Math.max(...ends));
    chosen.forEach((a) => a.parentElement.classList.add("marked"));
    chosen[0]?.scrollIntoView();
  };
  addEventListener("hashchange", markLines);
  markLines();
  document.addEventListener("click", (event) => {
    const number = event.shiftKey && event.target.closest?.(".l > [id]");
    const from = /^#(L\d+)/.exec(location.hash);
    if (!number || !from) return;
    event.preventDefault();
    getSelection().removeAllRanges();
    const ends = [from[1], number.id].sort((a, b) => a.slice(1) - b.slice(1));
    location.hash = ends.join("-");
  });

  // The table of contents follows the reader.
  const entries = new Map();
  for (const a of document.querySelectorAll("nav.toc a")) {
    const target = document.getElementById(decodeURIComponent(a.hash.slice(1)));
    if (target) entries.set(target, a);
  }
  const last = (elements) => {
    const line = (document.querySelector(".bar")?.offsetHeight || 0) + 40;
    return [...elements].filter((e) => e.getBoundingClientRect().top <= line).at(-1);
  };
  if (entries.size) {
    const targets = [...entries.keys()];
    let marked;
    const mark = () => {
      const atEnd = scrollY > 0 && innerHeight + scrollY >= root.scrollHeight - 2;
      // The last sections are too short to be scrolled to the top: take the one that was asked for.
      const asked = atEnd && targets.find((e) => e.id === decodeURIComponent(location.hash.slice(1)));
      const seen = asked && asked.getBoundingClientRect().top >= 0;
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
    mark();
  }
})();
