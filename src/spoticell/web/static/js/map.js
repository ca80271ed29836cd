// The page's side of the map. plotly compiles its drawing programs while it runs, which the page's own security
// policy forbids; so it lives in a frame without rights, gets arrays, and answers with clicks.

import { $, colour, el } from "./dom.js";

export class CellMap {
  constructor(place, { version, onPick, onHover, onReady }) {
    this.place = place;
    this.waiting = [];
    this.ready = false;
    this.answer = { pick: onPick, hover: onHover, drawn: onReady, broken: (data) => this.fail(data.why), image: (data) => save(data.url) };
    this.listen = (event) => this.hear(event);
    window.addEventListener("message", this.listen);
    this.frame = el("iframe", {
      src: `/static/map.html?v=${encodeURIComponent(version)}`, sandbox: "allow-scripts", title: "Map of the fingerprints", tabindex: "-1",
    });
    place.prepend(this.frame);
    this.stage();
  }

  stage() {
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    this.place.onclick = ({ target }) => {
      const wish = target.closest("[data-zoom]")?.dataset.zoom;
      if (wish) this.zoom(wish);
    };
    this.place.onkeydown = (event) => {
      if (event.target !== this.place) return;
      if (moves[event.key]) this.send({ kind: "pan", by: moves[event.key] });
      else if ("+-0".includes(event.key)) this.zoom({ "+": "in", "-": "out", 0: "all" }[event.key]);
      else return;
      event.preventDefault();
    };
  }

  zoom(wish) {
    if (wish === "save") this.send({ kind: "save" });
    else this.send({ kind: "zoom", wish });
  }

  hear({ source, data }) {
    if (source !== this.frame.contentWindow) return;
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

  paint(paint, labels) {
    $("map-waiting").hidden = true;
    this.send({ kind: "paint", ...paint, labels, theme: { ground: colour("--card"), ink: colour("--ink") } });
  }

  mark(position) {
    this.send({ kind: "mark", position });
  }

  fail(why) {
    this.frame.hidden = true;
    $("map-waiting").hidden = false;
    $("map-waiting").textContent = `The map can’t be drawn here: ${why} Everything else on the page works without it.`;
  }

  close() {
    window.removeEventListener("message", this.listen);
    this.frame.remove();
  }
}

function save(url) {
  const link = el("a", { href: url, download: "map.png" });
  document.body.append(link);
  link.click();
  link.remove();
}
