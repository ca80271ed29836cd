// A histogram of a column of numbers with two ends that can be moved: the cells between them are looked at.

import { written } from "./columns.js";
import { el } from "./dom.js";
import { number } from "./words.js";

const BINS = 36;
const STEPS = 200;
// Numbers whose largest is so many times their median are spread by their logarithms.
const SKEW = 6;

// Gives {node, show(rule)}; `onMove({low, high})` hears of each move, and of null when both ends are open again.
export function rangeOf(column, onMove) {
  const scale = scaleOf(column);
  const count = new Uint32Array(BINS);
  column.values.forEach((value) => { if (!Number.isNaN(value)) count[Math.min(Math.floor(scale.share(value) * BINS), BINS - 1)] += 1; });
  const most = Math.max(...count, 1);
  const edge = (bin) => written(column, scale.value(bin / BINS));
  const bars = Array.from(count, (n, bin) => el("i", { style: { height: `${(100 * n) / most}%` }, title: `${edge(bin)} to ${edge(bin + 1)}: ${number(n)}` }));
  const slider = (label, value) => el("input", { type: "range", min: 0, max: STEPS, step: 1, value, "aria-label": `${label} ${column.name}` });
  const [least, last] = [slider("Least", 0), slider("Most", STEPS)];
  const text = el("p", { class: "small ends" });
  const node = el("div", { class: "range" },
    el("div", { class: "histogram low-histogram", "aria-hidden": "true" }, ...bars), el("div", { class: "two-ends" }, least, last), text);

  const end = (slide, open) => (Number(slide.value) === open ? null : scale.value(Number(slide.value) / STEPS));
  const rule = () => ({ low: end(least, 0), high: end(last, STEPS) });
  const draw = ({ low, high }) => {
    const [from, to] = [low ?? column.low, high ?? column.high];
    text.textContent = `${written(column, from)} to ${written(column, to)}${scale.isLog ? ", on a logarithmic scale" : ""}`;
    bars.forEach((bar, bin) => bar.classList.toggle("out", scale.share(to) * BINS < bin + 0.5 || scale.share(from) * BINS > bin + 0.5));
    least.setAttribute("aria-valuetext", written(column, from));
    last.setAttribute("aria-valuetext", written(column, to));
  };
  const move = (moved) => {
    // Neither end passes the other.
    if (moved === least) least.value = Math.min(Number(least.value), Number(last.value) - 1);
    else last.value = Math.max(Number(last.value), Number(least.value) + 1);
    draw(rule());
    const { low, high } = rule();
    onMove(low === null && high === null ? null : { low, high });
  };
  least.oninput = () => move(least);
  last.oninput = () => move(last);

  const show = (given) => {
    const { low = null, high = null } = given ?? {};
    if (!node.contains(document.activeElement)) {
      least.value = low === null ? 0 : Math.round(scale.share(low) * STEPS);
      last.value = high === null ? STEPS : Math.round(scale.share(high) * STEPS);
    }
    draw({ low, high });
  };
  show(null);
  return { node, show };
}

// Between a number and its place from 0 to 1.
function scaleOf({ values, low, high }) {
  const known = Float32Array.from(values.filter((value) => !Number.isNaN(value))).sort();
  const isLog = low >= 0 && high > 10 && high > SKEW * known[known.length >> 1];
  const [there, back] = isLog ? [Math.log1p, Math.expm1] : [(value) => value, (value) => value];
  const [first, last] = [there(low), there(high)];
  return {
    isLog,
    share: (value) => Math.min(Math.max((there(value) - first) / (last - first || 1), 0), 1),
    value: (share) => back(first + share * (last - first)),
  };
}
