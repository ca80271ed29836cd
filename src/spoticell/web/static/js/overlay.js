// What lies on the points inside the frame: names, cells that are lit up, the ring of the chosen cell.
// Lighting up a type of 150,000 cells takes hundredths of a second: the points under it are not painted anew.

window.startOverlay = (stage, view) => {
  const VEIL = 0.8;
  const MANY = 20000; // from here on cells are squares, which are quick to draw
  const GAP = 3;
  const make = (tag, id) => Object.assign(document.createElement(tag), { id });
  const [light, names, ring] = [make("canvas", "light"), make("div", "names"), make("div", "ring")];
  stage.append(light, names, ring);
  const pen = light.getContext("2d");
  let points = null;
  let labels = [];
  let lit = null;
  let marked = null;
  let theme = {};
  let placed = [];

  const left = (x) => stage.clientWidth / 2 + (x - view.now().x) * view.scale();
  const top = (y) => stage.clientHeight / 2 - (y - view.now().y) * view.scale();

  // Widths are needed before a place is chosen.
  const ruler = document.createElement("canvas").getContext("2d");
  const widths = new Map();
  function width(text) {
    if (!widths.has(text)) {
      ruler.font = getComputedStyle(names).font;
      widths.set(text, ruler.measureText(text).width);
    }
    return widths.get(text);
  }

  const boxAt = (x, y, wide, high) => ({ left: x - wide / 2 - GAP, right: x + wide / 2 + GAP, top: y - high / 2 - GAP / 2, bottom: y + high / 2 + GAP / 2 });
  const meet = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;

  // The labels come in order of size. Each gets its name if there is room, else its number, else nothing.
  function layOut() {
    const taken = marked === null ? [] : [boxAt(left(points.x[marked]), top(points.y[marked]), 20, 20)];
    placed = [];
    for (const label of labels) {
      const [x, y] = [left(label.x), top(label.y)];
      if (x < 0 || y < 0 || x > stage.clientWidth || y > stage.clientHeight) continue;
      const wide = width(label.name) + 6;
      const inside = Math.min(Math.max(x, wide / 2 + 2), stage.clientWidth - wide / 2 - 2);
      const ways = [{ ...label, kind: "name", text: label.name, left: inside, top: y, box: boxAt(inside, y, wide, 17) },
        { ...label, kind: "number", text: String(label.number), left: x, top: y, box: boxAt(x, y, width(String(label.number)) + 12, 18) }];
      const way = ways.find(({ box }) => !taken.some((other) => meet(box, other)));
      if (way) { taken.push(way.box); placed.push(way); }
    }
  }

  function showNames() {
    layOut();
    while (names.childElementCount > placed.length) names.lastChild.remove();
    placed.forEach((one, k) => {
      const node = names.children[k] ?? names.appendChild(document.createElement("span"));
      node.className = one.key === lit?.key ? `${one.kind} own` : one.kind;
      node.textContent = one.text;
      node.style.transform = `translate(${one.left}px, ${one.top}px) translate(-50%, -50%)`;
      node.style.background = one.kind === "number" ? one.color : "";
      node.style.color = one.kind === "number" ? one.ink : "";
    });
  }

  function showLight() {
    light.hidden = !lit;
    if (!lit) return;
    const [wide, high, dense] = [stage.clientWidth, stage.clientHeight, Math.min(devicePixelRatio, 2)];
    Object.assign(light, { width: wide * dense, height: high * dense });
    pen.scale(dense, dense);
    pen.globalAlpha = VEIL;
    pen.fillStyle = theme.ground;
    pen.fillRect(0, 0, wide, high);
    pen.globalAlpha = 1;
    pen.fillStyle = lit.color;
    const { position } = lit;
    const size = lit.size();
    const { x: middle, y: centre } = view.now();
    const scale = view.scale();
    pen.beginPath();
    for (let k = 0; k < position.length; k += 1) {
      const x = wide / 2 + (points.x[position[k]] - middle) * scale;
      const y = high / 2 - (points.y[position[k]] - centre) * scale;
      if (!(x > -9 && y > -9 && x < wide + 9 && y < high + 9)) continue;
      if (position.length > MANY) { pen.fillRect(x - size / 2, y - size / 2, size, size); continue; }
      pen.moveTo(x + size / 2, y);
      pen.arc(x, y, size / 2, 0, 7);
    }
    pen.fill();
  }

  function showRing() {
    ring.hidden = marked === null || !(points?.x[marked] >= 0);
    if (!ring.hidden) ring.style.transform = `translate(${left(points.x[marked])}px, ${top(points.y[marked])}px) translate(-50%, -50%)`;
  }

  function show() {
    if (!points || !view.scale()) return;
    showNames();
    showLight();
    showRing();
  }

  return {
    show,
    place: (i) => [left(points.x[i]), top(points.y[i])],
    placed: () => placed,
    points: (data) => { points = data; lit = null; marked = null; },
    dress: (wish) => {
      ({ labels, theme } = wish);
      stage.style.setProperty("--ground", theme.ground);
      stage.style.setProperty("--ink", theme.ink);
      show();
    },
    light: (what) => {
      lit = what;
      names.classList.toggle("pale", Boolean(lit));
      show();
    },
    mark: (position) => { marked = position; show(); },
  };
};
