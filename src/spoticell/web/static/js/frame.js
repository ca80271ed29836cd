// The map itself, inside its frame: plotly, arrays in, clicks out. It knows no names and asks nobody for anything.
// Cells of one colour are one trace, which WebGL draws at once.

(() => {
  const stage = document.getElementById("stage");
  const plot = document.getElementById("plot");
  const REACH = 10; // pixels within which a cell is meant
  let points = null;
  let group_n = null;
  let faint = -1;
  let labels = [];
  let theme = {};
  let marked = null;
  let nTraces = 0;
  let size = 0;

  const tell = (message) => parent.postMessage(message, "*");

  const view = window.startGestures(stage, plot, {
    redraw: (ranges, closeness) => inTurn(() => redraw(ranges, closeness)),
    onPick: (place) => { const at = nearest(place); if (at !== null) tell({ kind: "pick", position: at }); },
    onHover: (place, event) => {
      const at = place && nearest(place);
      stage.style.cursor = at === null ? "" : "pointer";
      tell({ kind: "hover", position: at, left: event?.clientX, top: event?.clientY });
    },
  });

  // One after the other: plotly must have drawn the last before the next begins.
  let last = Promise.resolve();
  const inTurn = (job) => {
    last = last.then(job).catch(reportError);
    return last;
  };

  const extent = () => ({ width: plot.clientWidth, height: plot.clientHeight });

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

  function redraw({ x, y }, closeness) {
    const change = { "xaxis.range": x, "yaxis.range": y, annotations: numbers(view.scale()), ...extent() };
    if (Math.abs(sizeFor(closeness) - size) < 0.6) return Plotly.relayout(plot, change);
    size = sizeFor(closeness);
    return Plotly.update(plot, { "marker.size": size }, change, Array.from({ length: nTraces }, (_, g) => g));
  }

  // Positions of the cells of each group: one sorting by counting.
  function members(nGroups) {
    const start = new Uint32Array(nGroups + 1);
    for (const group of group_n) start[group + 1] += 1;
    for (let g = 0; g < nGroups; g += 1) start[g + 1] += start[g];
    const position = new Uint32Array(group_n.length);
    const next = start.slice();
    group_n.forEach((group, i) => { position[next[group]++] = i; });
    return Array.from({ length: nGroups }, (_, g) => ({ g, position: position.subarray(start[g], start[g + 1]) }));
  }

  function trace({ position, g }, colours) {
    const pick = (values) => Float32Array.from(position, (i) => values[i]);
    return {
      type: "scattergl", mode: "markers", x: pick(points.x), y: pick(points.y), hoverinfo: "skip",
      marker: { color: colours[g], size, opacity: g === faint ? 1 : 0.85 },
    };
  }

  function ring() {
    const at = marked === null ? [] : [marked];
    return {
      type: "scattergl", mode: "markers", x: at.map((i) => points.x[i]), y: at.map((i) => points.y[i]), hoverinfo: "skip",
      marker: { symbol: "circle-open", color: theme.ink, size: 17, line: { width: 3 } },
    };
  }

  // A number gives way to the chosen cell and to numbers before it in the list, until the reader zooms in on both.
  function numbers(scale) {
    const chosen = marked === null ? [] : [{ x: points.x[marked], y: points.y[marked] }];
    const shown = [...chosen];
    for (const label of labels) {
      if (!shown.some(({ x, y }) => Math.abs(x - label.x) * scale < 26 && Math.abs(y - label.y) * scale < 21)) shown.push(label);
    }
    return shown.slice(chosen.length).map(({ x, y, text, color, ink }) => ({
      x, y, text: `<b>${text.length < 2 ? `\u2006${text}\u2006` : text}</b>`, showarrow: false, bgcolor: color, font: { color: ink, size: 11 },
      borderpad: 3, borderwidth: 2, bordercolor: theme.ground,
    }));
  }

  function layout() {
    const { x, y } = view.over();
    const axis = { visible: false };
    return {
      ...extent(), margin: { l: 0, r: 0, t: 0, b: 0 }, paper_bgcolor: theme.ground, plot_bgcolor: theme.ground, hovermode: false,
      xaxis: { ...axis, range: x }, yaxis: { ...axis, range: y }, annotations: numbers(view.scale()), showlegend: false,
      font: { family: "system-ui, sans-serif" },
    };
  }

  async function paint(wish) {
    const began = performance.now();
    ({ group_n, faint = -1, labels, theme } = wish);
    const all = members(wish.colours.length).filter(({ position }) => position.length);
    // The rare lie on the common, and both on what isn't looked for.
    if (wish.sorted) all.sort((a, b) => b.position.length - a.position.length);
    all.sort((a, b) => (b.g === faint) - (a.g === faint));
    nTraces = all.length;
    size = sizeFor(view.closeness());
    document.body.style.background = theme.ground;
    try {
      await Plotly.react(plot, [...all.map((group) => trace(group, wish.colours)), ring()], layout(), { staticPlot: true });
    } catch (error) {
      return tell({ kind: "broken", why: `${error.message}.` });
    }
    view.began();
    plot.style.transform = "";
    if (plot.querySelector(".no-webgl")) tell({ kind: "broken", why: "this browser has no WebGL." });
    else tell({ kind: "drawn", milliseconds: performance.now() - began });
  }

  function mark({ position }) {
    marked = position;
    if (!plot.data) return;
    const { x, y } = ring();
    return Plotly.update(plot, { x: [x], y: [y] }, { annotations: numbers(view.scale()) }, [nTraces]);
  }

  async function save() {
    const { x, y } = view.visible();
    const [width, height] = [stage.clientWidth, stage.clientHeight];
    const seen = { ...layout(), width, height };
    seen.xaxis.range = x;
    seen.yaxis.range = y;
    tell({ kind: "image", url: await Plotly.toImage({ data: plot.data, layout: seen }, { format: "png", width, height, scale: 2 }) });
  }

  const duties = {
    points: (data) => { points = data; },
    paint, mark, save,
    zoom: ({ wish }) => (wish === "all" ? view.home() : view.zoom(wish === "in" ? 1.5 : 1 / 1.5)),
    pan: ({ by: [right, up] }) => view.slide((-right * stage.clientWidth) / 8, (up * stage.clientHeight) / 8),
  };

  window.addEventListener("message", ({ source, data }) => {
    if (source === parent && duties[data.kind]) inTurn(() => duties[data.kind](data));
  });

  if (window.Plotly) tell({ kind: "ready" });
  else tell({ kind: "broken", why: "plotly wasn’t loaded." });
})();
