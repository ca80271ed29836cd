// The page's side of the map, which lives in a frame without rights, gets arrays, and answers with clicks.

import { $, colour, el } from "./dom.js";
import { saveFigure } from "./figure.js";
import { mapFrame } from "./reach.js";

const HINT = 1600; // milliseconds that it is read
const DRAWING = "Drawing the map …";
let warmed = null;

// Load the frame while the cells are still looked at or named. One that moves is loaded anew, so it waits in its place.
export function warmMap(version) {
  if (warmed || $("map").querySelector("iframe")) return;
  warmed = frameFor(version);
  $("map").prepend(warmed);
}

// A shared file brings the frame's `page` with it.
function frameFor(version, page) {
  const frame = el("iframe", {
    ...(page ? { srcdoc: page } : mapFrame(version)), sandbox: "allow-scripts", title: "Map of the fingerprints", tabindex: "-1",
  });
  // what it says before anyone listens
  frame.heard = [];
  frame.listen = ({ source, data }) => { if (source === frame.contentWindow) frame.heard.push(data); };
  window.addEventListener("message", frame.listen);
  return frame;
}

export class CellMap {
  // `describe` says what a saved picture is called and what its colours mean.
  constructor(place, { version, page, onPick, onHover, onReady, onLocated, describe }) {
    this.place = place;
    this.waiting = [];
    this.ready = false;
    this.drawing = false;
    this.answer = {
      pick: onPick, hover: onHover, drawn: () => this.drawn(onReady), located: onLocated,
      wheel: () => this.hint(),
      image: (data) => saveFigure({ ...data, ...describe(), format: this.format }),
    };
    $("map-waiting").textContent = DRAWING;
    $("map-waiting").hidden = false;
    delete place.dataset.drawn;
    this.frame = warmed ?? frameFor(version, page);
    if (!warmed) place.prepend(this.frame);
    warmed = null;
    window.removeEventListener("message", this.frame.listen);
    this.listen = (event) => { if (event.source === this.frame.contentWindow) this.hear(event.data); };
    window.addEventListener("message", this.listen);
    this.frame.heard.forEach((data) => this.hear(data));
    this.stage();
  }

  stage() {
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    this.place.onclick = ({ target }) => {
      const { zoom: wish, save } = target.closest("[data-zoom], [data-save]")?.dataset ?? {};
      if (wish) this.zoom(wish);
      if (save) this.save(save);
    };
    this.told = el("p", { class: "wheel-hint", "aria-hidden": "true", hidden: true }, `${/Mac/.test(navigator.platform) ? "⌘" : "Ctrl"} + wheel zooms`);
    this.place.append(this.told);
    this.whole = () => this.send({ kind: "alone", is: document.fullscreenElement !== null });
    document.addEventListener("fullscreenchange", this.whole);
    // a frame isn't always told that the mouse has left it
    this.place.onpointerleave = () => this.answer.hover({ position: null });
    this.place.onkeydown = (event) => {
      if (event.target !== this.place) return;
      if (moves[event.key]) this.send({ kind: "pan", by: moves[event.key] });
      else if ("+-0".includes(event.key)) this.zoom({ "+": "in", "-": "out", 0: "all" }[event.key]);
      else return;
      event.preventDefault();
    };
  }

  // Who turns the wheel to zoom learns how.
  hint() {
    this.told.hidden = false;
    clearTimeout(this.hiding);
    this.hiding = setTimeout(() => { this.told.hidden = true; }, HINT);
  }

  zoom(wish) {
    this.send({ kind: "zoom", wish });
  }

  save(format) {
    this.format = format;
    this.send({ kind: "save" });
  }

  hear(data) {
    if (data.kind === "ready") {
      this.ready = true;
      this.waiting.splice(0).forEach((message) => this.send(message));
    } else {
      this.answer[data.kind]?.(data);
    }
  }

  // What comes before the frame is there waits for it.
  send(message) {
    if (this.ready) this.frame.contentWindow.postMessage(message, "*");
    else this.waiting.push(message);
  }

  points({ n, x, y }) {
    this.send({ kind: "points", n, x, y });
  }

  // While one picture is drawn, only the latest wish for another is kept.
  paint(paint, labels) {
    const message = { kind: "paint", ...paint, labels, theme: { ground: colour("--card"), ink: colour("--ink") } };
    if (this.drawing) this.next = message;
    else this.begin(message);
  }

  begin(message) {
    this.drawing = true;
    this.next = null;
    this.send(message);
  }

  drawn(onReady) {
    this.drawing = false;
    if (this.next) return this.begin(this.next);
    // drawn is not yet seen: that takes a frame or two
    requestAnimationFrame(() => requestAnimationFrame(() => { $("map-waiting").hidden = true; }));
    onReady();
  }

  mark(position) {
    this.send({ kind: "mark", position });
  }

  // Let some cells shine and the others fade, at once and without painting anew; null ends it.
  // `lit`: {position, color, key}, `key` that of the label that shines with them.
  light(lit) {
    this.send({ kind: "light", position: null, ...lit });
  }

  close() {
    window.removeEventListener("message", this.listen);
    document.removeEventListener("fullscreenchange", this.whole);
    this.told.remove();
    this.frame.remove();
  }
}
