// Searching: loaded when a reader first asks for it, as is Pagefind's own part with the index.
(() => {
  const dialog = document.getElementById(":search");
  const input = dialog.querySelector("input");
  const told = dialog.querySelector(".told");
  const list = dialog.querySelector(".hits");
  const base = new URL(dialog.dataset.root || "./", location.href);
  const LINE = /^L(\d+)$/;
  const HAN = "\\u3040-\\u30ff\\u3400-\\u9fff\\uf900-\\ufaff";
  const TERM = new RegExp(`[${HAN}]+|(?:(?![${HAN}])[\\p{L}\\p{N}_])+`, "gu");
  const NAME = /[\p{L}\p{N}_]+/gu;
  const LOOKED_AT = 60; // pages that have all the words, or all the characters, somewhere
  const PAGES = 20;
  const PLACES = 3; // on each page
  const AROUND = 9; // words before and after a hit

  let pagefind;
  const load = async () => {
    pagefind ??= import(new URL("pagefind/pagefind.js", base)).then(async (module) => {
      await module.options({ baseUrl: base.pathname });
      return module;
    });
    return pagefind;
  };

  // What is asked for: names, words, and runs of characters that are written without spaces.
  const isHan = (text) => new RegExp(`[${HAN}]`).test(text);
  const termsOf = (query) => [...new Set(query.toLowerCase().match(TERM) ?? [])];
  const asked = (terms) => terms.map((term) => isHan(term) ? [...term].join(" ") : term).join(" ");

  // The text of a page as words; what was cut for the index (see `search_index.py`) stands together again.
  const joined = (text) => text.replace(/\u2060\s*/g, "");
  const split = (text) => {
    const parts = text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
    const isCut = parts.includes("\u200b");
    return parts.split(isCut ? "\u200b" : /\s+/).map((word) => joined(isCut ? word : `${word} `));
  };

  // Numbers of the words that a term is found in.
  const common = (a, b) => {
    let n = 0;
    while (n < a.length && a[n] === b[n]) n += 1;
    return n;
  };
  const isForm = (word, term) => { // `shortcuts` finds `shortcut`
    const same = common(word, term);
    return same >= Math.max(4, term.length - 3) && same >= 0.6 * word.length;
  };
  const hitsOf = (term, words) => {
    const hits = [];
    words.forEach((word, i) => {
      if (!isHan(term)) {
        const isFound = (name) => (term.length < 3 ? name === term : name.includes(term) || isForm(name, term));
        if (words[i].match(NAME)?.some(isFound)) hits.push(i);
        return;
      }
      const run = [];
      let text = "";
      for (let j = i; word && j < words.length && text.length < term.length; j += 1) {
        run.push(j);
        text += words[j];
      }
      if (text.startsWith(term)) hits.push(...run);
    });
    return hits;
  };

  // Where on a page: in which part, and in it in a line of code or in prose. The best come first.
  const places = (data, words, hits, query) => {
    const weights = new Map(data.weighted_locations.map((at) => [at.location, at.weight]));
    const anchors = data.anchors.filter((a) => a.id && !a.id.startsWith(":")).sort((a, b) => a.location - b.location);
    const before = (location, test) => anchors.findLast((a) => a.location <= location && test(a));
    const after = (anchor) => anchors.find((a) => a.location > anchor?.location)?.location ?? Infinity;
    const found = new Map();
    const span = 4 + (isHan(query) ? 2 * query.length : query.split(" ").length);
    for (const location of [...new Set(hits)].sort((a, b) => a - b)) {
      const part = before(location, (a) => a.element === "section");
      const heading = before(location, (a) => /^h\d$/.test(a.element) && a.location >= (part?.location ?? 0));
      const line = before(location, () => true);
      const name = part?.id.split(":")[0] ?? "";
      const isCode = LINE.test(line?.id ?? "");
      const anchor = isCode ? line : heading ?? part;
      const label = ["", "module", "page"].includes(name) ? joined(heading?.text ?? "") : name;
      const key = isCode ? `L${label}` : anchor?.id;
      const place = found.get(key) ?? {
        anchor, label, isCode, heading: isCode ? undefined : heading, hits: [], score: 0,
        end: after(anchor),
      };
      if (location < place.end) place.hits.push(location);
      const isTyped = words.slice(Math.max(location - span, 0), location + span).join("").toLowerCase().includes(query);
      place.score = Math.max(place.score, (weights.get(location) ?? 1) * (isTyped ? 10 : 1));
      if (isTyped && !place.isTyped) {
        let first = location; // where the words that were typed begin
        const isAhead = (from) => words.slice(from, location + span).join("").toLowerCase().includes(query);
        while (isAhead(first + 1)) first += 1;
        Object.assign(place, { isTyped, first });
        if (isCode) Object.assign(place, { anchor, hits: [location], end: after(anchor) });
      }
      found.set(key, place);
    }
    return [...found.values()].sort((a, b) => b.score - a.score || b.hits.length - a.hits.length).slice(0, PLACES);
  };

  const excerpt = (place, words) => {
    let from = place.anchor?.location ?? 0;
    let { end } = place;
    const first = place.first ?? place.hits[0];
    if (place.heading) { // which is a label, not the beginning of a sentence
      let rest = joined(place.heading.text).replace(/\s/g, "").length;
      let after = from;
      while (rest > 0 && after < words.length) rest -= words[after++].trim().length;
      if (first < after) end = after;
      else from = after;
    }
    const around = words[from]?.endsWith(" ") ? AROUND : 3 * AROUND; // words are shorter where there are no spaces
    const start = place.isCode ? from : Math.max(from, first - around);
    const stop = Math.min(end, words.length, first + (place.isCode ? 2 : 1) * around);
    const box = document.createElement(place.isCode ? "code" : "span");
    if (start > from) box.append("… ");
    for (let i = start; i < stop; i += 1) {
      if (place.hits.includes(i)) {
        const mark = document.createElement("mark");
        mark.textContent = words[i].trim();
        box.append(mark, /\s$/.test(words[i]) ? " " : "");
      } else box.append(words[i]);
    }
    if (stop < Math.min(end, words.length)) box.append(" …");
    return box;
  };

  const show = ({ data, words, found }) => {
    const item = document.createElement("li");
    const title = document.createElement("a");
    title.href = data.url;
    title.textContent = joined(data.meta.title);
    item.append(title);
    const lines = document.createElement("ul");
    for (const place of found) {
      const entry = document.createElement("li");
      const link = document.createElement("a");
      link.href = place.anchor ? `${data.url}#${place.anchor.id}` : data.url;
      const [, number] = LINE.exec(place.anchor?.id ?? "") ?? [];
      const small = document.createElement("small");
      const found = excerpt(place, words);
      small.textContent = [place.label, number].filter(Boolean).join(" · ");
      if (/[^\w. ·]|\w \w/.test(small.textContent)) small.className = "words";
      if (small.textContent && small.textContent !== found.textContent.trim()) link.append(small, " ");
      link.append(found);
      entry.append(link);
      lines.append(entry);
    }
    item.append(lines);
    return item;
  };

  let latest = 0;
  const search = async () => {
    const query = input.value.trim();
    const terms = termsOf(query);
    const number = (latest += 1);
    if (!terms.length) {
      list.replaceChildren();
      told.textContent = query && dialog.dataset.none.replace("%(words)s", query);
      return;
    }
    try {
      const { results } = await (await load()).search(asked(terms));
      const pages = (await Promise.all(results.slice(0, LOOKED_AT).map(async (result) => {
        const data = await result.data();
        const words = split(data.raw_content);
        const plain = words.map((word) => word.toLowerCase());
        const hits = terms.map((term) => hitsOf(term, plain)); // Pagefind also finds what only begins alike
        if (!hits.every((some) => some.length)) return null;
        const weights = new Map(data.weighted_locations.map((at) => [at.location, at.weight]));
        const weight = hits.flat().reduce((sum, hit) => sum + (weights.get(hit) ?? 1), 0);
        return { data, words, weight, found: places(data, words, hits.flat(), query.toLowerCase()) };
      }))).filter(Boolean);
      if (number !== latest) return; // another search has begun
      const rank = ({ found }) => [50, 10].findIndex((score) => found[0].score >= score) >>> 0; // defined, used, else
      pages.sort((a, b) => rank(a) - rank(b) || b.weight - a.weight);
      list.replaceChildren(...pages.slice(0, PAGES).map(show));
      told.textContent = pages.length ? "" : dialog.dataset.none.replace("%(words)s", query);
      list.scrollTop = 0;
    } catch {
      told.textContent = dialog.dataset.broken;
    }
  };

  let timer;
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(search, 120);
  });
  dialog.addEventListener("keydown", (event) => {
    const links = [...list.querySelectorAll("a")];
    const at = links.indexOf(document.activeElement);
    if (event.key === "ArrowDown" && links.length) (links[at + 1] ?? links[0]).focus();
    else if (event.key === "ArrowUp" && links.length) (at > 0 ? links[at - 1] : input).focus();
    else if (event.key === "Escape") dialog.close(); // the first time, also where it would only empty the field
    else if (event.key === "Enter" && event.target === input) {
      clearTimeout(timer);
      search().then(() => (list.querySelector("ul a") ?? list.querySelector("a"))?.click());
    } else return;
    event.preventDefault();
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog || event.target.closest(".hits a")) dialog.close();
  });

  dialog.addEventListener("find", () => {
    if (!dialog.open) dialog.showModal();
    input.select();
    load().catch(() => { told.textContent = dialog.dataset.broken; });
  });
})();
