// The map itself, inside its frame: arrays in, clicks out. It knows no names of cells and asks nobody for anything.

(() => {
  const stage = document.getElementById("stage");
  const plot = document.getElementById("plot");
  const REACH = 10; // pixels within which a cell is meant
  const DENSE = 300 / 96; // dots of a saved picture for each pixel on the screen: 300 an inch
  let points = null;
  let group_n = null;
  let groups = [];
  let faint = -1;
  let theme = {};

  const tell = (message) => parent.postMessage(message, "*");
  const painter = window.startPainter(plot);

  const view = window.startGestures(stage, plot, {
    onMove: () => overlay.show(),
    redraw,
    onWheel: () => tell({ kind: "wheel" }),
    onPick: (place) => { const at = nearest(place); if (at !== null) tell({ kind: "pick", position: at }); },
    onHover: (place, event) => {
      const at = place && nearest(place);
      stage.style.cursor = at === null ? "" : "pointer";
      tell({ kind: "hover", position: at, left: event?.clientX, top: event?.clientY });
    },
  });

  const overlay = window.startOverlay(stage, view);

  // Looking at all cells takes less than a hundredth of a second even for a million.
  function nearest({ x, y, scale }) {
    if (!points) return null;
    let least = (REACH / scale) ** 2;
    let found = null;
    for (let i = 0; i < points.n; i += 1) {
      const distance = (points.x[i] - x) ** 2 + (points.y[i] - y) ** 2;
      if (distance < least && group_n[i] !== faint) { least = distance; found = i; }
    }
    return found;
  }

  // Point sizes that neither leave holes nor melt into one blot; they grow when the reader comes closer.
  const sizeFor = (closeness) => Math.min(Math.max((34 / points.n ** 0.24) * closeness ** 0.5, 1.6), 9);

  function redraw(ranges, closeness) {
    painter.paint(points, groups, { ranges, size: sizeFor(closeness), ground: theme.ground });
  }

  // Positions of the cells of each group: one sorting by counting.
  function members(nGroups) {
    const start = new Uint32Array(nGroups + 1);
    for (let i = 0; i < group_n.length; i += 1) start[group_n[i] + 1] += 1;
    for (let g = 0; g < nGroups; g += 1) start[g + 1] += start[g];
    const position = new Uint32Array(group_n.length);
    const next = start.slice();
    for (let i = 0; i < group_n.length; i += 1) { position[next[group_n[i]]] = i; next[group_n[i]] += 1; }
    return Array.from({ length: nGroups }, (_, g) => ({ g, position: position.subarray(start[g], start[g + 1]) }));
  }

  function paint(wish) {
    const began = performance.now();
    ({ group_n, faint = -1, theme } = wish);
    const all = members(wish.colours.length).filter(({ position }) => position.length);
    // The rare lie on the common, and both on what isn't looked for.
    if (wish.sorted) all.sort((a, b) => b.position.length - a.position.length);
    all.sort((a, b) => (b.g === faint) - (a.g === faint));
    groups = all.map(({ g, position }) => ({ position, color: wish.colours[g], opacity: g === faint ? 1 : 0.85 }));
    document.body.style.background = theme.ground;
    view.settle();
    redraw(view.over(), view.closeness());
    view.began();
    plot.style.transform = "";
    overlay.dress(wish);
    tell({ kind: "drawn", milliseconds: performance.now() - began });
  }

  // The points alone, as they are seen; the page adds names and a legend.
  function save() {
    const [width, height] = [stage.clientWidth, stage.clientHeight];
    const url = painter.picture(points, groups, { ranges: view.visible(), size: sizeFor(view.closeness()), ground: theme.ground, width, height, dense: DENSE });
    tell({ kind: "image", url, width, height, names: overlay.placed().map(({ box, x: _, y: __, ...one }) => one) });
  }

  const duties = {
    points: (data) => { points = data; overlay.points(data); },
    paint, save,
    mark: ({ position }) => overlay.mark(position),
    light: ({ position, color, key }) => overlay.light(position && { position, color, key, size: () => sizeFor(view.closeness()) + 1 }),
    // Where points of the window lie on the map.
    locate: ({ path }) => tell({ kind: "located", path: path.map(([clientX, clientY]) => view.place({ clientX, clientY })) }),
    alone: ({ is }) => view.alone(is),
    zoom: ({ wish }) => (wish === "all" ? view.home() : view.zoom(wish === "in" ? 1.5 : 1 / 1.5)),
    pan: ({ by: [right, up] }) => view.slide((-right * stage.clientWidth) / 8, (up * stage.clientHeight) / 8),
  };

  window.addEventListener("message", ({ source, data }) => {
    if (source === parent) duties[data.kind]?.(data);
  });

  // Where a cell lies in this window, and what part of the map is seen.
  window.mapPlace = (i) => overlay.place(i);
  window.mapRange = () => view.visible();
  tell({ kind: "ready" });
})();
