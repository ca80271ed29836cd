// Answers a conformance set with the engine of a page's folder: node run.mjs PAGE SET OUT

import { closeSync, fstatSync, openSync, readFileSync, readSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { gunzipSync } from "node:zlib";

const [page, set, out] = process.argv.slice(2);
const { engine: script, tables } = JSON.parse(readFileSync(join(page, "manifest.json"), "utf8"));
const unpacked = (name) => new Uint8Array(gunzipSync(readFileSync(join(page, name))));
const engine = await import(`data:text/javascript;base64,${Buffer.from(unpacked(script)).toString("base64")}`);
engine.setPackaged(Object.entries(tables).map(([name, file]) => [name, unpacked(file)]));
await engine.startHdf5();

// A file as bytes that are read where they are asked for; one whose handle is closed is opened anew.
class DiskBytes {
  constructor(path) {
    Object.assign(this, { path, name: basename(path), size: statSync(path).size });
  }

  read(start, stop) {
    const handle = openSync(this.path, "r");
    const bytes = new Uint8Array(Math.max(Math.min(stop, fstatSync(handle).size) - start, 0));
    readSync(handle, bytes, 0, bytes.length, start);
    closeSync(handle);
    return bytes;
  }
}

// A matrix takes the files of names beside it along, as a drop on the page does.
function uploadOf(path) {
  const folder = statSync(path).isDirectory();
  const inner = folder ? readdirSync(path, { recursive: true }).map((name) => join(path, name))
    : /\.mtx(\.gz)?$/.test(path) ? readdirSync(dirname(path)).map((name) => join(dirname(path), name)) : [path];
  const files = inner.filter((file) => statSync(file).isFile());
  const name = (file) => (folder ? file.slice(path.length + 1) : basename(file));
  return { name: basename(path), files: new Map(files.map((file) => [name(file), new DiskBytes(file)])) };
}

const { cases } = JSON.parse(readFileSync(join(set, "set.json"), "utf8"));
const only = new RegExp(process.env.ONLY ?? "");
const answers = [];
for (const { name, input, settings } of cases.filter((one) => only.test(one.name))) {
  const began = performance.now();
  let answer;
  try {
    answer = await engine.answersOf(uploadOf(input.startsWith("/") ? input : join(set, input)), settings);
  } catch (error) {
    answer = { crashed: String(error?.stack ?? error) };
  }
  answers.push({ name, answer, seconds: (performance.now() - began) / 1000 });
}
writeFileSync(out, JSON.stringify(answers, (_, value) => (Number.isNaN(value) ? null : value)));
