// Runs before the first paint, so that neither the colours nor the view jump.
(() => {
  const root = document.documentElement;
  const wish = localStorage.getItem("theme");
  if (wish === "dark" || wish === "light") root.dataset.theme = wish;
  const { protocol, pathname, search } = location;
  const isElsewhere = pathname.startsWith("/jobs/") || pathname === "/atlas" || search.startsWith("?job=");
  root.dataset.view = protocol === "file:" ? "unserved" : isElsewhere ? "loading" : "start";
})();
