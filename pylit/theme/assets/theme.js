// Runs before anything is painted, so that nothing flashes in the wrong colours or disappears again.
(() => {
  const root = document.documentElement;
  root.classList.add("js");
  let theme, shapes;
  try {
    theme = localStorage.getItem("theme");
    shapes = localStorage.getItem("shapes");
  } catch { /* Storage may be forbidden: the page is shown as at the first visit. */ }
  if (theme === "light" || theme === "dark") root.dataset.theme = theme;
  root.dataset.shapes = shapes || (matchMedia("(min-width: 62rem)").matches ? "on" : "off");
})();
