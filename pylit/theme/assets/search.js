// Searching: loaded when a reader first asks for it, as is Pagefind's own part with the index.
(() => {
  const dialog = document.getElementById(":search");
  const input = dialog.querySelector("input");
  const told = dialog.querySelector(".told");
  const list = dialog.querySelector(".hits");
  const base = new URL(dialog.dataset.root || "./", location.href);
  const LINE = /^L(\d+)$/;
  const PAGES = 8;
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

  // The text of a page as words; a hit is the number of one.
  const split = (text) => {
    const plain = text.replaceAll("&lt;", "<").replaceAll("&gt;", ">");
    return plain.includes("\u200b") ? [plain.split("\u200b"), ""] : [plain.split(/\s+/), " "];
  };

  // The places on a page with hits, the best first: a line of code, or the part of the prose below an anchor.
  const places = (data, words, glue, query) => {
    const anchors = data.anchors.filter((a) => a.id && !a.id.startsWith(":")).sort((a, b) => a.location - b.location);
    const found = new Map();
    for (const { location, weight } of data.weighted_locations) {
      const at = anchors.findLastIndex((a) => a.location <= location);
      const place = found.get(at) ?? { anchor: anchors[at], end: anchors[at + 1]?.location ?? Infinity, hits: [], score: 0 };
      // Pagefind also finds the parts of a name, and other forms of a word. What was typed comes first, defined before used.
      const typed = words.slice(Math.max(location - 2, 0), location + 5).join(glue).toLowerCase().includes(query);
      place.hits.push(location);
      place.score = Math.max(place.score, typed ? 10 * weight : weight);
      found.set(at, place);
    }
    return [...found.values()].sort((a, b) => b.score - a.score || b.hits.length - a.hits.length).slice(0, PLACES);
  };

  const excerpt = (place, words, glue) => {
    const line = LINE.test(place.anchor?.id ?? "");
    const from = place.anchor?.location ?? 0;
    const first = place.hits[0];
    const around = glue ? AROUND : 2 * AROUND; // words are shorter where there are no spaces
    const start = line ? from : Math.max(from, first - around);
    const end = Math.min(place.end, words.length, line ? first + 2 * around : first + around);
    const box = document.createElement(line ? "code" : "span");
    if (start > from) box.append("… ");
    for (let i = start; i < end; i += 1) {
      let text = words[i];
      if (line && i === from) text = text.replace(/^\d+/, "");
      if (place.hits.includes(i)) {
        const mark = document.createElement("mark");
        mark.textContent = text.trim();
        box.append(mark, /\s$/.test(text) ? " " : "");
      } else box.append(text);
      box.append(glue);
    }
    if (end < Math.min(place.end, words.length)) box.append(" …");
    return box;
  };

  const show = ({ data, words, glue, found }) => {
    const item = document.createElement("li");
    const title = document.createElement("a");
    title.href = data.url;
    title.textContent = data.meta.title;
    item.append(title);
    const lines = document.createElement("ul");
    for (const place of found) {
      const entry = document.createElement("li");
      const link = document.createElement("a");
      link.href = place.anchor ? `${data.url}#${place.anchor.id}` : data.url;
      const [, number] = LINE.exec(place.anchor?.id ?? "") ?? [];
      if (number) link.append(Object.assign(document.createElement("small"), { textContent: number }), " ");
      link.append(excerpt(place, words, glue));
      entry.append(link);
      lines.append(entry);
    }
    item.append(lines);
    return item;
  };

  let asked = 0;
  const search = async () => {
    const query = input.value.trim();
    const number = (asked += 1);
    if (!query) {
      list.replaceChildren();
      told.textContent = "";
      return;
    }
    try {
      const { results } = await (await load()).search(query);
      const pages = await Promise.all(results.slice(0, PAGES).map(async (result) => {
        const data = await result.data();
        const [words, glue] = split(data.raw_content);
        return { data, words, glue, found: places(data, words, glue, query.toLowerCase()) };
      }));
      if (number !== asked) return; // another search has begun
      const rank = ({ found }) => [50, 10].findIndex((score) => found[0]?.score >= score) >>> 0; // defined, used, else
      pages.sort((a, b) => rank(a) - rank(b));
      list.replaceChildren(...pages.map(show));
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
