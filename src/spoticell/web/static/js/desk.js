// The map on the whole screen, and on a phone the tapped cell on a sheet over the map.

import { $, say } from "./dom.js";

const SMALL = matchMedia("(max-width: 1080px)");

export function startDesk() {
  const [desk, button] = [$("desk"), $("whole")];
  button.hidden = !document.fullscreenEnabled;
  button.onclick = () => (document.fullscreenElement ? document.exitFullscreen() : desk.requestFullscreen());
  document.onfullscreenchange = () => {
    const isWhole = document.fullscreenElement === desk;
    button.setAttribute("aria-pressed", String(isWhole));
    say(isWhole ? "The map fills the screen. Escape leaves." : "The map is in the page again.");
  };
  $("sheet-close").onclick = closeSheet;
  $("panel-cell").onkeydown = (event) => { if (event.key === "Escape" && desk.classList.contains("sheeted")) closeSheet(); };
  // a panel that is chosen by its tab stands in the page
  document.querySelector("#result [role=tablist]").addEventListener("click", () => desk.classList.remove("sheeted"));
}

export function openSheet() {
  if (!SMALL.matches) return;
  $("desk").classList.add("sheeted");
  // so that the sheet leaves the map in sight
  $("map").scrollIntoView({ block: "start" });
}

function closeSheet() {
  $("desk").classList.remove("sheeted");
  $("tab-types").click();
  $("map").focus({ preventScroll: true });
}
