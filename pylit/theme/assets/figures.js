// Charts answer: a slider, the arrow keys or a pointer walks along the axis, and the values there are shown. All of them
// are in the table below the chart; nothing is computed here.
for (const chart of document.querySelectorAll("figure.chart")) {
  const [svg, slider, at] = [chart.querySelector("svg"), chart.querySelector(".walk"), chart.querySelector(".at")];
  if (!slider) continue;
  const heads = [...chart.querySelectorAll(".values thead th")];
  const rows = [...chart.querySelectorAll(".values tbody tr")];
  const here = document.createElementNS(svg.namespaceURI, "g");
  svg.append(here);
  const add = (name, attributes) => {
    const element = document.createElementNS(svg.namespaceURI, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    here.append(element);
  };
  const show = (is_moved) => {
    const row = rows[slider.value];
    const { x } = row.dataset;
    here.replaceChildren();
    const parts = [`${heads[0].dataset.name} ${row.cells[0].textContent}`];
    at.replaceChildren(...parts);
    if (is_moved) add("path", { class: "here", d: `M${x} 34V254` });
    heads.slice(1).forEach((head, number) => {
      const cell = row.cells[number + 1];
      if (!cell.dataset.y) return;
      const css = `line-${head.dataset.line}`;
      if (is_moved) add("circle", { class: `dot ${css}`, cx: x, cy: cell.dataset.y, r: 4 });
      const [name, value] = [document.createElement("span"), document.createElement("b")];
      name.className = css;
      value.textContent = cell.textContent;
      name.append(`${head.dataset.name} `, value);
      at.append(name);
      parts.push(name.textContent);
    });
    slider.setAttribute("aria-valuetext", parts.join(", "));
  };
  slider.addEventListener("input", () => show(true));
  const point = (event) => {
    const box = svg.getBoundingClientRect();
    const x = (event.clientX - box.left) / box.width * svg.viewBox.baseVal.width;
    const far = rows.map((row) => Math.abs(row.dataset.x - x));
    slider.value = far.indexOf(Math.min(...far));
    show(true);
  };
  svg.addEventListener("pointermove", point);
  svg.addEventListener("pointerdown", point);
  show(false);
}
