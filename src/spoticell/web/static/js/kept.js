// The filters as the server takes them, so that what it counts leaves out the same cells. A change is told by the
// event "filtered", once the reader has come to rest.

const REST = 250;
let text = "";
let timer = null;

export const asQuery = (mark = "&") => (text ? `${mark}filter=${encodeURIComponent(text)}` : "");

export function keepTo(filters) {
  const next = filters.isOn ? JSON.stringify(filters.state) : "";
  if (next === text) return;
  text = next;
  clearTimeout(timer);
  timer = setTimeout(() => window.dispatchEvent(new Event("filtered")), REST);
}
