// Drawing around cells. The line is drawn in the page, over the frame of the map; the frame says where it lies on it.

import { $, say } from "./dom.js";

// A shorter line is a slip of the hand.
const FEWEST = 4;

let end = null;

document.addEventListener("keydown", ({ key }) => { if (key === "Escape") end?.(); });

// What is drawn goes to `onDrawn` as points of the frame's window.
export function startLasso({ onDrawn }) {
  const area = $("lasso-area");
  const line = area.querySelector("polygon");
  let path = null;

  const turn = (isOn) => {
    path = null;
    line.setAttribute("points", "");
    area.toggleAttribute("hidden", !isOn);
    $("lasso").setAttribute("aria-pressed", isOn);
    if (isOn) say("Draw around cells with the mouse or a finger. Escape ends it.");
  };
  const isOn = () => !area.hasAttribute("hidden");

  const add = ({ clientX, clientY }) => {
    const { left, top } = area.getBoundingClientRect();
    path.push([clientX - left, clientY - top]);
    line.setAttribute("points", path.map((point) => point.join(",")).join(" "));
  };

  area.onpointerdown = (event) => {
    if (event.button !== 0 || path) return;
    event.preventDefault();
    area.setPointerCapture(event.pointerId);
    path = [];
    add(event);
  };
  area.onpointermove = (event) => { if (path) add(event); };
  area.onpointerup = () => {
    const drawn = path;
    turn(false);
    if (drawn?.length >= FEWEST) onDrawn(drawn);
  };
  area.onpointercancel = () => turn(false);
  $("lasso").onclick = () => turn(!isOn());
  $("draw").onclick = () => { turn(true); $("map").scrollIntoView({ block: "nearest" }); };
  end = () => turn(false);
  turn(false);
}

// Which cells lie within a line: a ray from each crosses it an odd number of times.
export function inside(cells, path, isShown) {
  const own = new Uint8Array(cells.n);
  const xs = path.map(({ x }) => x);
  const ys = path.map(({ y }) => y);
  const [left, right, low, high] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  for (let i = 0; i < cells.n; i += 1) {
    const [x, y] = [cells.x[i], cells.y[i]];
    if (!(x >= left && x <= right && y >= low && y <= high) || !isShown(i)) continue;
    let odd = 0;
    for (let a = 0, b = path.length - 1; a < path.length; b = a, a += 1) {
      if (ys[a] > y !== ys[b] > y && x < ((xs[b] - xs[a]) * (y - ys[a])) / (ys[b] - ys[a]) + xs[a]) odd ^= 1;
    }
    own[i] = odd;
  }
  return own;
}
