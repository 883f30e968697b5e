// Translates passages where they are read. The preview puts this script into translated pages; no published page has it.
(() => {
  const { token } = document.currentScript.dataset;
  const EDIT = "#edit-";
  const PAUSE = 250; // milliseconds without a key after which a text is tried
  const drafts = {
    name: (id) => `draft ${location.pathname} ${id}`,
    get(id) { try { return localStorage.getItem(this.name(id)); } catch { return null; } },
    set(id, text) { try { localStorage.setItem(this.name(id), text); } catch { /* It is still in the field. */ } },
    remove(id) { try { localStorage.removeItem(this.name(id)); } catch { /* There is none. */ } },
  };
  let passages = [], languages, words; // of the page, once it was asked for
  let open = null; // the passage that is being translated, and the parts of its panel
  let isStale = false; // whether the page is another one meanwhile

  // Returns the status and the answer of the preview; 0 if it does not answer.
  const ask = async (action, values = {}) => {
    try {
      const answer = await fetch(`/.pylit/edit/${action}`, {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-Pylit-Token": token },
        body: JSON.stringify({ page: location.pathname, ...values }),
      });
      return [answer.status, await answer.json()];
    } catch (error) {
      return [0, { message: String(error) }];
    }
  };

  const make = (tag, values = {}, ...children) => {
    const node = Object.assign(document.createElement(tag), values);
    node.append(...children.filter((child) => child !== null));
    return node;
  };
  const button = (text, action, name = "") => make("button", { type: "button", textContent: text, onclick: action, className: name });
  const inLanguage = (node, { lang, dir }) => Object.assign(node, { lang, dir });

  const link = (id) => document.querySelector(`main a.edit[href="${EDIT}${id}"]`);
  // The end of a passage on the page, behind which its panel has a place.
  const endOf = (id) => {
    const pencil = link(id);
    if (!pencil) return null;
    const outer = pencil.closest("table, dl, summary, figcaption, p, h1, h2, h3, h4, h5, h6");
    if (outer) return outer.closest("summary") ?? outer;
    let end = pencil.closest(".t, .u") ?? pencil;
    while (end.nextElementSibling?.matches(".o, .edit")) end = end.nextElementSibling;
    return end;
  };

  // The elements of a passage, and nothing else of what it is in: its translation and original, or the latter and the pencil.
  const partsOf = (pencil) => {
    const own = pencil.closest(".t");
    const beside = own ? own.nextElementSibling : pencil.previousElementSibling;
    if (own) return beside?.matches(".o") ? [own, beside] : [own];
    return beside?.matches(".u") ? [beside, pencil] : [pencil];
  };

  const list = async () => {
    const [status, answer] = await ask("list");
    if (status === 200) ({ passages, languages, words } = answer);
    return status === 200 ? "" : answer.message ?? String(status);
  };

  const start = async (id) => {
    const problem = await list();
    if (problem) return say(id, problem);
    const passage = passages.find((one) => one.id === id);
    if (passage) show(passage);
  };

  const say = (id, text) => {
    shut();
    const panel = make("section", { className: "pylit-edit" }, make("p", { className: "fault", role: "alert", textContent: text }));
    (endOf(id) ?? document.querySelector("main").firstElementChild).after(panel);
    open = { panel };
  };

  const shut = () => {
    clearTimeout(open?.timer);
    open?.panel.remove();
    document.querySelector(".pylit-edited")?.classList.remove("pylit-edited");
    open = null;
  };

  const close = () => {
    const pencil = open?.passage && link(open.passage.id);
    shut();
    if (location.hash.startsWith(EDIT)) history.replaceState(null, "", location.pathname + location.search);
    if (isStale) location.reload();
    else pencil?.focus();
  };

  const show = (passage) => {
    shut();
    const [from, to] = languages;
    const number = passages.indexOf(passage) + 1;
    const draft = drafts.get(passage.id);
    const field = inLanguage(make("textarea", { value: draft ?? passage.translation, spellcheck: true, ariaLabel: to.name }), to);
    const parts = {
      passage, field,
      shown: inLanguage(make("div", { className: "shown" }), to),
      verdict: make("ul", { className: "verdict", ariaLive: "polite" }),
      help: make("div", { className: "help" }),
      notice: make("div", { className: "news", role: "status" }),
      accept: button(words.accept, () => save("accept")),
      save: button(words.save, () => save("save"), "main"),
    };
    parts.accept.hidden = !passage.changes.length;
    parts.accept.disabled = Boolean(passage.obstacle);
    parts.accept.title = passage.obstacle;
    const go = (text, keys, step, isWanted) => {
      const target = find(step, isWanted);
      return Object.assign(button(text, () => target && show(target)), { disabled: !target, title: keys });
    };
    parts.panel = make("section", { className: "pylit-edit", ariaLabel: words.title },
      make("header", {},
        make("b", { dir: "ltr", textContent: `${number} / ${passages.length}` }),
        make("span", { className: `state ${passage.state}`, textContent: words[`state_${passage.state}`] }),
        go("↑", `${words.previous} (Alt+↑)`, -1, () => true),
        go("↓", `${words.next} (Alt+↓)`, 1, () => true),
        go(words.missing, "Alt+U", 1, isMissing),
        go(words.stale, "Alt+O", 1, isOutOfDate),
        Object.assign(button("×", close, "close"), { title: `${words.close} (Esc)`, ariaLabel: words.close })),
      changes(passage, from),
      make("div", { className: "sides" },
        make("div", { className: "side" },
          make("small", { textContent: from.name }),
          inLanguage(make("div", { className: "source", textContent: passage.text, tabIndex: 0 }), from)),
        make("div", { className: "side" },
          make("small", { textContent: to.name }), field, parts.shown)),
      parts.verdict,
      make("footer", {}, parts.save, parts.accept, make("small", { textContent: "Ctrl+Enter" }), parts.notice, make("code", { textContent: passage.id })),
      parts.help);
    parts.panel.addEventListener("keydown", keys);
    field.addEventListener("input", typed);
    field.addEventListener("compositionend", typed);
    const end = endOf(passage.id);
    if (end) end.after(parts.panel);
    else document.querySelector("main").prepend(parts.panel);
    end?.classList.add("pylit-edited");
    open = parts;
    history.replaceState(null, "", EDIT + passage.id);
    if (draft !== null && draft !== passage.translation) {
      notice(words.draft, button(words.discard, () => { drafts.remove(passage.id); show(passage); }));
    }
    grow();
    field.focus({ preventScroll: true });
    parts.panel.scrollIntoView({ block: "nearest" });
    attempt();
    help(parts);
  };

  const isMissing = (one) => ["missing", "broken"].includes(one.state);
  const isOutOfDate = (one) => one.state === "stale" || one.changes.length > 0;
  // The next passage behind the open one, or before it; the search goes on from the other end.
  const find = (step, isWanted) => {
    const at = passages.findIndex((one) => one.id === open?.passage?.id);
    const others = [...passages.slice(at + 1), ...passages.slice(0, Math.max(at, 0))];
    return (step > 0 ? others : others.reverse()).find(isWanted);
  };

  const changes = (passage, from) => {
    if (!passage.changes.length) return null;
    const text = inLanguage(make("p", { className: "changes" }), from);
    for (const [before, after] of passage.changes) {
      if (before === after) text.append(after);
      else text.append(...[before && make("del", { textContent: before }), after && make("ins", { textContent: after })].filter(Boolean));
    }
    return make("details", { open: true }, make("summary", { textContent: words.changed }), text);
  };

  const help = async (parts) => {
    const { passage } = parts;
    const [from, to] = languages;
    const offer = (text, title, original) => make("li", {},
      make("small", { textContent: title }),
      original === null ? null : inLanguage(make("p", { textContent: original }), from),
      inLanguage(make("p", { textContent: text }), to),
      button(words.use, () => insert(text)));
    const [status, found] = await ask("help", { id: passage.id });
    if (open !== parts || status !== 200) return;
    if (found.terms.length) {
      parts.help.append(make("h2", { textContent: words.terms }), make("ul", { className: "terms" }, ...found.terms.map((term) =>
        make("li", { title: term.why },
          inLanguage(make("span", { textContent: term.term }), from), " → ",
          ...term.use.flatMap((use, at) => [at ? " / " : "", inLanguage(make("b", { textContent: use }), to)]),
          term.never.length ? make("small", {}, ` ${words.instead} `, inLanguage(make("s", { textContent: term.never.join(" ") }), to)) : null))));
    }
    const offers = found.similar.map((one) => offer(one.translation, words.similar, one.text));
    if (passage.suggestion) offers.unshift(offer(passage.suggestion, words.suggestion, null));
    if (offers.length) parts.help.append(make("ul", { className: "offers" }, ...offers));
    for (const [name, lines] of [["notes", passage.notes], ["code", passage.code]]) {
      if (!lines.length) continue;
      parts.help.append(make("details", {}, make("summary", { textContent: words[name] }), make("pre", { dir: "ltr", textContent: lines.join("\n") })));
    }
  };

  // Replaces the text so that the browser can undo it.
  const insert = (text) => {
    open.field.focus();
    open.field.select();
    document.execCommand("insertText", false, text);
  };

  const grow = () => {
    open.field.style.height = "auto";
    open.field.style.height = `${open.field.scrollHeight + 4}px`;
  };

  // While an input method composes, the text is not what the translator means yet.
  const typed = (event) => {
    if (!open || event.isComposing) return;
    const { passage, field } = open;
    if (field.value === passage.translation) drafts.remove(passage.id);
    else drafts.set(passage.id, field.value);
    grow();
    clearTimeout(open.timer);
    open.timer = setTimeout(attempt, PAUSE);
  };

  const attempt = async () => {
    const parts = open, translation = parts.field.value;
    const [status, found] = await ask("try", { id: parts.passage.id, translation });
    if (open !== parts || parts.field.value !== translation) return; // a later attempt answers
    if (status !== 200) return notice(status === 410 ? words.gone : found.message);
    parts.shown.innerHTML = found.html;
    const rows = found.faults.map((text) => make("li", { className: "fault", textContent: text }));
    if (rows.length) rows.unshift(make("li", { className: "fault", textContent: words.broken }));
    rows.push(...found.hints.map((text) => make("li", { className: "hint", textContent: text })));
    if (!rows.length && translation.trim()) rows.push(make("li", { className: "fine", textContent: words.fine }));
    parts.verdict.replaceChildren(...rows);
  };

  const notice = (text, ...more) => open?.notice.replaceChildren(text, " ", ...more);

  const save = async (action) => {
    const parts = open, { passage, field } = parts;
    if (parts.save.disabled) return false;
    parts.save.disabled = true;
    const translation = field.value;
    const [status, found] = await ask(action, { id: passage.id, seen: passage.seen, translation });
    parts.save.disabled = false;
    if (status === 200) {
      if (drafts.get(passage.id) === translation || action === "accept") drafts.remove(passage.id);
      renew(passage, found.passage);
      if (open !== parts) return false;
      if (field.value === translation || action === "accept") {
        show(passage);
        notice(words.saved);
        return true;
      }
    } else if (open === parts && status === 409) {
      const theirs = found.passage.translation;
      drafts.set(passage.id, translation);
      renew(passage, found.passage);
      notice(words.conflict, inLanguage(make("p", { className: "theirs", textContent: theirs || "—" }), languages[1]),
        button(words.use, () => insert(theirs)));
    } else if (open === parts) {
      drafts.set(passage.id, translation);
      notice(status === 410 ? words.gone : `${words.failed} ${found.message ?? status}`);
    }
    return false;
  };
  const renew = (passage, found) => Object.assign(passage, found);

  const saveAndGoOn = async () => {
    if (!(await save("save"))) return;
    const next = find(1, (one) => isMissing(one) || isOutOfDate(one));
    if (next) show(next);
    else notice(`${words.saved} ${words.none}`);
  };

  const keys = (event) => {
    if (event.isComposing || event.keyCode === 229) return; // the key is the input method's
    const go = (step, isWanted) => {
      const target = find(step, isWanted);
      if (target) show(target);
    };
    const isCommand = event.ctrlKey || event.metaKey;
    if (event.key === "Escape") close();
    else if (isCommand && event.key === "Enter") saveAndGoOn();
    else if (isCommand && event.key === "s") save("save");
    else if (event.altKey && event.key === "ArrowDown") go(1, () => true);
    else if (event.altKey && event.key === "ArrowUp") go(-1, () => true);
    else if (event.altKey && event.code === "KeyU") go(1, isMissing);
    else if (event.altKey && event.code === "KeyO") go(1, isOutOfDate);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  addEventListener("click", (event) => {
    const pencil = event.target.closest?.(`a.edit[href^="${EDIT}"]`);
    if (!pencil || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    start(pencil.hash.slice(EDIT.length));
  });

  // While a passage is open, the page is not loaded again, but takes over what has been saved.
  addEventListener("pylit:changed", async (event) => {
    if (!open) return;
    event.preventDefault();
    isStale = true;
    const text = await fetch(location.pathname).then((answer) => answer.text(), () => "");
    const found = new DOMParser().parseFromString(text, "text/html");
    const { state } = found.querySelector("script[data-state]")?.dataset ?? {};
    const main = found.querySelector("main");
    const isLoaded = (part) => part.matches(".o:not(.stale)"); // an original that the reader has asked for
    for (const pencil of document.querySelectorAll(`main a.edit[href^="${EDIT}"]`)) {
      const other = main?.querySelector(`a.edit[href="${pencil.getAttribute("href")}"]`);
      if (!other) continue;
      const [old, fresh] = [partsOf(pencil), partsOf(other)];
      const kept = old.find(isLoaded);
      const [before, after] = [old, fresh].map((parts) => parts.filter((part) => !isLoaded(part)));
      if (before.map((part) => part.outerHTML).join() === after.map((part) => part.outerHTML).join()) continue;
      old[0].before(...(kept ? after : fresh));
      for (const part of before) part.remove();
    }
    if (open?.passage) endOf(open.passage.id)?.classList.add("pylit-edited");
    if (state) event.detail.listen(state);
  });

  if (location.hash.startsWith(EDIT)) start(location.hash.slice(EDIT.length));
})();
