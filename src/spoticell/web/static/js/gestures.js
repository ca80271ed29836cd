// How the reader moves the map: drag, wheel, two fingers, and the page's buttons.
//
// What was drawn is shifted and stretched at once, which costs nothing; the points are drawn anew as often as the
// machine can, and where it can't (no graphics card, a million cells) as soon as the movement rests.

window.startGestures = (stage, plot, { redraw, onMove, onPick, onHover, onWheel }) => {
  const EDGE = 0.04;
  const OVER = 0.25; // drawn beyond each side of the window, so that a shift shows no bare edge
  const LIVE = 70; // milliseconds from drawing to screen up to which every frame is drawn
  const REST = 90;
  const FARTHEST = 0.5; // times the scale of the whole map
  const CLOSEST = 400;
  let now = null;
  let home = 1;
  let drawn = null;
  let cost = 0;
  let isDrawing = false;
  let timer = null;

  const size = () => ({ width: stage.clientWidth, height: stage.clientHeight });
  const whole = () => { const { width, height } = size(); return { x: 0.5, y: 0.5, scale: Math.min(width, height) / (1 + 2 * EDGE) }; };
  const closeness = () => now.scale / whole().scale;
  const frame = () => new Promise((resolve) => { requestAnimationFrame(resolve); });

  // Half of what a view shows, in data units; more by `over` of its size on each side.
  function ranges(view, over = OVER) {
    const { width, height } = size();
    const half = [width, height].map((pixels) => ((0.5 + over) * pixels) / view.scale);
    return { x: [view.x - half[0], view.x + half[0]], y: [view.y - half[1], view.y + half[1]] };
  }

  function shift() {
    const stretch = now.scale / drawn.scale;
    const [x, y] = [(drawn.x - now.x) * now.scale, (now.y - drawn.y) * now.scale];
    plot.style.transform = x || y || stretch !== 1 ? `translate(${x}px, ${y}px) scale(${stretch})` : "";
    // At the whole map one finger scrolls the page; closer, it moves the map.
    stage.style.touchAction = closeness() > 1.01 ? "none" : "pan-y";
    onMove();
  }

  async function draw() {
    if (isDrawing) return;
    isDrawing = true;
    const began = performance.now();
    const view = now;
    try {
      redraw(ranges(view), closeness());
      drawn = view;
      shift();
      await frame();
      await frame();
      cost = performance.now() - began;
    } finally {
      isDrawing = false;
    }
    if (now !== view) later();
  }

  function later() {
    clearTimeout(timer);
    if (cost < LIVE) draw();
    else timer = setTimeout(draw, REST);
  }

  function go(view) {
    const scale = Math.min(Math.max(view.scale, home * FARTHEST), home * CLOSEST);
    now = { x: Math.min(Math.max(view.x, 0), 1), y: Math.min(Math.max(view.y, 0), 1), scale };
    if (!drawn) return;
    shift();
    later();
  }

  // Zoom so that what lies under a point of the window stays there.
  function zoom(by, left = size().width / 2, top = size().height / 2) {
    const { width, height } = size();
    const [x, y] = [left - width / 2, height / 2 - top];
    go({ x: now.x + (x / now.scale) * (1 - 1 / by), y: now.y + (y / now.scale) * (1 - 1 / by), scale: now.scale * by });
  }

  const slide = (right, down) => go({ ...now, x: now.x - right / now.scale, y: now.y + down / now.scale });

  const place = ({ clientX, clientY }) => {
    const { width, height } = size();
    return { x: now.x + (clientX - width / 2) / now.scale, y: now.y + (height / 2 - clientY) / now.scale, scale: now.scale };
  };

  const fingers = new Map();
  let travelled = 0;
  let hovering = false;
  let away = false; // the mouse may leave before the next frame

  stage.addEventListener("pointerdown", (event) => {
    stage.setPointerCapture(event.pointerId);
    if (fingers.size === 0) travelled = 0;
    fingers.set(event.pointerId, event);
  });

  stage.addEventListener("pointermove", (event) => {
    const before = fingers.get(event.pointerId);
    if (!before) return hover(event);
    const [right, down] = [event.clientX - before.clientX, event.clientY - before.clientY];
    travelled += Math.abs(right) + Math.abs(down);
    fingers.set(event.pointerId, event);
    if (fingers.size === 1) slide(right, down);
    else if (fingers.size === 2) pinch(event, before);
  });

  function pinch(event, before) {
    const other = [...fingers.values()].find(({ pointerId }) => pointerId !== event.pointerId);
    const apart = ({ clientX, clientY }) => Math.hypot(clientX - other.clientX, clientY - other.clientY);
    zoom(apart(event) / Math.max(apart(before), 1), (event.clientX + other.clientX) / 2, (event.clientY + other.clientY) / 2);
    slide((event.clientX - before.clientX) / 2, (event.clientY - before.clientY) / 2);
  }

  async function hover(event) {
    away = false;
    if (hovering || event.pointerType === "touch") return;
    hovering = true;
    await frame();
    hovering = false;
    if (fingers.size === 0 && !away) onHover(place(event), event);
  }

  const lift = (event) => {
    const wasOne = fingers.size === 1;
    if (fingers.delete(event.pointerId) && event.type === "pointerup" && wasOne && travelled < 6) onPick(place(event));
  };
  stage.addEventListener("pointerup", lift);
  stage.addEventListener("pointercancel", lift);
  stage.addEventListener("pointerleave", () => { away = true; onHover(null); });
  stage.addEventListener("dblclick", () => go(whole()));
  // The wheel alone scrolls the page, but where the map is all there is. Two fingers on a pad count as the wheel with Ctrl.
  let isAlone = false;
  stage.addEventListener("wheel", (event) => {
    if (!isAlone && !event.ctrlKey && !event.metaKey) { onWheel(); return; }
    event.preventDefault();
    onHover(null);
    zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.03 : 0.0016)), event.clientX, event.clientY);
  }, { passive: false });

  // A window of another size shows the same place as closely as before; one that is hidden has no size yet.
  function settle() {
    if (!size().width || !size().height) return;
    const close = home ? now.scale / home : 1;
    home = whole().scale;
    now = { ...now, scale: close * home };
  }

  now = whole();
  home = now.scale;
  new ResizeObserver(() => {
    settle();
    if (!drawn || !now.scale) return;
    onMove();
    later();
  }).observe(stage);

  return {
    zoom, slide, place, home: () => go(whole()), visible: () => ranges(now, 0), over: () => ranges(now), scale: () => now.scale, closeness, settle,
    alone: (is) => { isAlone = is; }, now: () => now, began: () => { drawn = now; },
  };
};
