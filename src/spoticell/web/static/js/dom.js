// Elements, made and found. Text always goes in as text, never as HTML.

export const $ = (id) => document.getElementById(id);

const SVG = "http://www.w3.org/2000/svg";

// el("p", {class: "small", onclick: f}, "text", otherElement)
export function el(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "style") for (const [rule, worth] of Object.entries(value)) node.style.setProperty(rule, worth);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

// A name from a file or a visitor, which turns the direction of its own letters alone, not of the words around it.
export const named = (text) => el("bdi", {}, text);

export function say(text) {
  $("said").textContent = text;
}

// What a colour of the style sheet looks like now, in light or in dark.
export function colour(name) {
  const probe = el("i", { style: { color: `var(${name})` } });
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

// Black or white, whichever reads better on a #rrggbb.
export function inkOn(hex) {
  const part = (start) => (parseInt(hex.slice(start, start + 2), 16) / 255) ** 2.2;
  return 0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5) > 0.18 ? "#000000" : "#ffffff";
}

export function tabs(list) {
  const all = [...list.querySelectorAll("[role=tab]")];
  const choose = (chosen) => {
    for (const tab of all) {
      tab.setAttribute("aria-selected", tab === chosen);
      tab.tabIndex = tab === chosen ? 0 : -1;
      $(tab.getAttribute("aria-controls")).hidden = tab !== chosen;
    }
  };
  list.addEventListener("click", ({ target }) => target.role === "tab" && choose(target));
  list.addEventListener("keydown", ({ key, target }) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[key];
    if (!step) return;
    const shown = all.filter(({ hidden }) => !hidden);
    const next = shown[(shown.indexOf(target) + step + shown.length) % shown.length];
    choose(next);
    next.focus();
  });
  return (id) => choose($(id));
}

export function copyButton(text, label = "Copy") {
  const button = el("button", { type: "button", class: "button", onclick: async () => {
    await copy(typeof text === "function" ? text() : text);
    button.textContent = "Copied";
    say("Copied");
    setTimeout(() => { button.textContent = label; }, 1600);
  } }, label);
  return button;
}

// navigator.clipboard is there on https and localhost only; a lab server may have neither.
export async function copy(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const box = el("textarea", { class: "hidden" });
  box.value = text;
  document.body.append(box);
  box.select();
  document.execCommand("copy");
  box.remove();
}
