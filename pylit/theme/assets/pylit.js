// What a page can do with scripts; without them it can all be read.
(() => {
  const words = document.body.dataset;

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
    && event.target.matches(".formula") && [...event.target.querySelectorAll("[data-sym]")].find((e) => e.dataset.sym in tied)) || null;
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
    const copy = document.createElement("button");
    copy.type = "button";
    copy.className = "copy";
    copy.textContent = words.copy;
    copy.addEventListener("click", async () => {
      const lines = [...pre.querySelectorAll(".l")];
      let text = pre.querySelector("code").textContent;
      if (lines.length) {
        text = lines.map((line) => [...line.childNodes].slice(1).map((n) => n.className === "chips" ? "" : n.textContent).join("")).join("");
      } else if (pre.querySelector(".gp")) {
        text = typed(pre.querySelector("code"));
      } else if (pre.parentElement.classList.contains("example")) { // too long to be coloured
        text = text.split("\n").filter((line) => /^(>>>|\.\.\.)( |$)/.test(line))
          .map((line) => line.slice(4)).join("\n");
      }
      await navigator.clipboard.writeText(text.trimEnd() + "\n");
      copy.textContent = words.copied;
      setTimeout(() => { copy.textContent = words.copy; }, 1500);
    });
    pre.parentElement.append(copy);
  });

  // Pictures open large.
  whenNear(document.querySelectorAll("figure.picture"), (figure) => {
    const picture = figure.querySelector("svg, img");
    if (!picture) return;
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
    figure.removeAttribute("tabindex");
    figure.append(open);
  });

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
})();
