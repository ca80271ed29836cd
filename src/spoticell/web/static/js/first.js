// Runs before the first paint, so that neither the colours nor the view jump.
(() => {
  const root = document.documentElement;
  const wish = localStorage.getItem("theme");
  if (wish === "dark" || wish === "light") root.dataset.theme = wish;
  root.dataset.view = location.pathname.startsWith("/jobs/") || location.pathname === "/atlas" ? "loading" : "start";
})();
