// The map itself, inside its frame: plotly, arrays in, clicks out. It knows no names and asks nobody for anything.
// Cells of one colour are one trace, which WebGL draws at once.

(() => {
  const plot = document.getElementById("plot");
  const LOOK = { displayModeBar: false, scrollZoom: true, doubleClick: "reset", responsive: true, showTips: false };
  const EDGE = 0.04;
  let points = null;
  let traces = [];
  let members = [];
  let marked = null;
  let layout = null;

  const tell = (message) => parent.postMessage(message, "*");

  // Point sizes that neither leave holes nor melt into one blot.
  const sizeFor = (n) => Math.min(Math.max(34 / n ** 0.24, 1.6), 9);

  // Positions of the cells of each group: one sorting by counting.
  function sorted(group_n, nGroups) {
    const start = new Uint32Array(nGroups + 1);
    for (const group of group_n) start[group + 1] += 1;
    for (let g = 0; g < nGroups; g += 1) start[g + 1] += start[g];
    const position = new Uint32Array(group_n.length);
    const next = start.slice();
    group_n.forEach((group, i) => { position[next[group]++] = i; });
    return Array.from({ length: nGroups }, (_, g) => position.subarray(start[g], start[g + 1]));
  }

  function trace(position, color, isFaint) {
    const pick = (values) => Float32Array.from(position, (i) => values[i]);
    return {
      type: "scattergl", mode: "markers", x: pick(points.x), y: pick(points.y), showlegend: false,
      hoverinfo: isFaint ? "skip" : "none", marker: { color, size: sizeFor(points.n), opacity: isFaint ? 1 : 0.85 },
    };
  }

  function ring(ink) {
    const at = marked === null ? [] : [marked];
    return {
      type: "scattergl", mode: "markers", x: at.map((i) => points.x[i]), y: at.map((i) => points.y[i]), showlegend: false, hoverinfo: "skip",
      marker: { symbol: "circle-open", color: ink, size: 17, line: { width: 3 } },
    };
  }

  const number = ({ x, y, text, color, ink }) => ({
    x, y, text: `<b>${text}</b>`, showarrow: false, bgcolor: color, font: { color: ink, size: 11 }, borderpad: 3, bordercolor: "transparent",
  });

  function frameOf(labels, theme) {
    const axis = { visible: false, range: [-EDGE, 1 + EDGE], fixedrange: false };
    return {
      margin: { l: 0, r: 0, t: 0, b: 0 }, paper_bgcolor: theme.ground, plot_bgcolor: theme.ground, dragmode: "pan", hovermode: "closest", hoverdistance: 12,
      xaxis: { ...axis }, yaxis: { ...axis, scaleanchor: "x" }, uirevision: "same", annotations: labels.map(number), showlegend: false,
      font: { family: "system-ui, sans-serif" },
    };
  }

  async function paint({ group_n, colours, faint = -1, sorted: bySize, labels, theme }) {
    const began = performance.now();
    const all = sorted(group_n, colours.length).map((position, g) => ({ position, g })).filter(({ position }) => position.length);
    // The rare lie on the common, and both on what isn't looked for.
    if (bySize) all.sort((a, b) => b.position.length - a.position.length);
    all.sort((a, b) => (b.g === faint) - (a.g === faint));
    members = all.map(({ position, g }) => (g === faint ? null : position));
    traces = [...all.map(({ position, g }) => trace(position, colours[g], g === faint)), ring(theme.ink)];
    const kept = layout && { x: plot.layout.xaxis.range, y: plot.layout.yaxis.range };
    layout = frameOf(labels, theme);
    if (kept) { layout.xaxis.range = kept.x; layout.yaxis.range = kept.y; }
    document.body.style.background = theme.ground;
    const isNew = !plot.data;
    await Plotly.react(plot, traces, layout, LOOK);
    if (isNew) listen();
    if (plot.querySelector(".no-webgl")) tell({ kind: "broken", why: "this browser has no WebGL." });
    else tell({ kind: "drawn", milliseconds: performance.now() - began });
  }

  function listen() {
    const position = ({ points: [point] }) => members[point.curveNumber]?.[point.pointNumber];
    plot.on("plotly_click", (event) => {
      const at = position(event);
      if (at !== undefined) tell({ kind: "pick", position: at });
    });
    plot.on("plotly_hover", (event) => {
      const at = position(event);
      if (at !== undefined) tell({ kind: "hover", position: at, left: event.event.clientX, top: event.event.clientY });
    });
    plot.on("plotly_unhover", () => tell({ kind: "hover", position: null }));
  }

  function move(turn) {
    const ranges = [plot.layout.xaxis.range, plot.layout.yaxis.range].map(turn);
    return Plotly.relayout(plot, { "xaxis.range": ranges[0], "yaxis.range": ranges[1] });
  }

  function zoom({ wish }) {
    if (wish === "all") return Plotly.relayout(plot, { "xaxis.range": [-EDGE, 1 + EDGE], "yaxis.range": [-EDGE, 1 + EDGE] });
    const by = wish === "in" ? 0.7 : 1 / 0.7;
    return move(([low, high]) => [(low + high) / 2 - (by * (high - low)) / 2, (low + high) / 2 + (by * (high - low)) / 2]);
  }

  const pan = ({ by }) => move(([low, high], axis) => [low + (by[axis] * (high - low)) / 8, high + (by[axis] * (high - low)) / 8]);

  function mark({ position }) {
    marked = position;
    if (!plot.data) return;
    const one = ring();
    return Plotly.restyle(plot, { x: [one.x], y: [one.y] }, [traces.length - 1]);
  }

  async function save() {
    const { width, height } = plot.getBoundingClientRect();
    tell({ kind: "image", url: await Plotly.toImage(plot, { format: "png", width, height, scale: 2 }) });
  }

  const duties = { points: (data) => { points = data; }, paint, mark, zoom, pan, save };
  let last = Promise.resolve();

  // One after the other: plotly must have drawn the last before the next begins.
  window.addEventListener("message", ({ source, data }) => {
    if (source !== parent || !duties[data.kind]) return;
    last = last.then(() => duties[data.kind](data)).catch((error) => tell({ kind: "broken", why: `${error.message}.` }));
  });

  if (window.Plotly) tell({ kind: "ready" });
  else tell({ kind: "broken", why: "plotly wasn’t loaded." });
})();
