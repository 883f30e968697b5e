// Runs before anything is painted, so that the page never flashes in the wrong colours.
(() => {
  const root = document.documentElement;
  root.classList.add("js");
  try {
    const theme = localStorage.getItem("theme");
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
  } catch { /* Storage may be forbidden: the system's colours are shown. */ }
})();
