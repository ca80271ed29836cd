// Numbers, sizes and times as people write them.

export const number = (value) => Math.round(value).toLocaleString("en");

export const percent = (share) => {
  const value = share * 100;
  if (value > 0 && value < 0.1) return "< 0.1%";
  return `${value.toFixed(value < 10 || (value > 99 && value < 100) ? 1 : 0).replace(/\.0$/, "")}%`;
};

export const score = (value) => value.toFixed(2);

export const counted = (count, one, many = `${one}s`) => `${number(count)} ${Math.round(count) === 1 ? one : many}`;

export function bytes(size) {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  let step = 0;
  while (size >= 1000 && step < units.length - 1) { size /= 1000; step += 1; }
  return `${size >= 10 || step === 0 ? Math.round(size) : size.toFixed(1)} ${units[step]}`;
}

// The server gives times as ISO text or as seconds.
export const moment = (time) => new Date(typeof time === "number" ? time * 1000 : time);

export const HOUR = 3_600_000;

export function span(milliseconds) {
  const minutes = Math.abs(milliseconds) / 60000;
  if (minutes < 1) return "less than a minute";
  if (minutes < 90) return counted(Math.round(minutes), "minute");
  if (minutes < 48 * 60) return counted(Math.round(minutes / 60), "hour");
  return counted(Math.round(minutes / 1440), "day");
}

export const capital = (text) => text && text[0].toUpperCase() + text.slice(1);

// A name of a file at the beginning stays as it is.
export const sentence = (text) => (/^\S*[._/\d]/.test(text.trim()) ? text.trim() : capital(text.trim())).replace(/([^.!?…])$/, "$1.");

// Long names of files may break after their dots and dashes, and turn only their own letters' direction.
export function breakable(name) {
  const apart = document.createElement("bdi");
  apart.append(...name.split(/(?<=[._-])/).flatMap((part, at) => (at ? [document.createElement("wbr"), part] : [part])));
  return [apart];
}
