// Loads a page of the preview again as soon as it is not what it was. The server puts this script into every page.
(() => {
  let { state } = document.currentScript.dataset;
  let events = null;

  // A page that nobody sees waits for nothing: browsers open only a few connections to a server.
  const listen = () => {
    if (events || document.visibilityState === "hidden") return;
    events = new EventSource(`/.pylit/events?page=${encodeURIComponent(location.pathname)}&state=${state}`);
    events.addEventListener("message", () => {
      rest();
      // The editor of translations, while it is open, takes the news over without losing what is being written.
      const listenAgain = (now) => {
        state = now;
        listen();
      };
      const news = new CustomEvent("pylit:changed", { cancelable: true, detail: { listen: listenAgain } });
      if (dispatchEvent(news)) location.reload();
    });
  };
  const rest = () => {
    events?.close();
    events = null;
  };
  addEventListener("pageshow", listen);
  addEventListener("pagehide", rest);
  document.addEventListener("visibilitychange", () => document.visibilityState === "hidden" ? rest() : listen());

  // The theme takes the reader to the place where they were before the page was loaded again. A page that only tells what is
  // wrong does not have that place, so the theme forgets it. It is kept here for the next page.
  const name = `place ${location.pathname}`;
  try {
    const place = sessionStorage.getItem(name);
    if (place && !document.getElementById(JSON.parse(place)[0])) {
      addEventListener("load", () => { // after the theme has begun to listen
        addEventListener("pagehide", () => sessionStorage.setItem(name, place));
      });
    }
  } catch { /* Storage may be forbidden: the browser does what it can. */ }
})();
