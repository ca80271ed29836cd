// Answers a conformance set with the engine of a page's folder: node run.mjs PAGE SET OUT

import { closeSync, fstatSync, openSync, readFileSync, readSync, statSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { gunzipSync } from "node:zlib";
import { answered, loaded } from "./answering.mjs";

const [page, set, out] = process.argv.slice(2);

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

const json = (path) => JSON.parse(readFileSync(path, "utf8"));
const { cases, files } = json(join(set, "set.json"));
const engine = await loaded(json(join(page, "manifest.json")), (name) => new Uint8Array(gunzipSync(readFileSync(join(page, name)))));
const uploadOf = (input) => ({ name: basename(input), files: new Map(files[input].map(([name, path]) => [name, new DiskBytes(path.startsWith("/") ? path : join(set, path))])) });
const only = new RegExp(process.env.ONLY ?? "");
writeFileSync(out, await answered(engine, cases.filter(({ name }) => only.test(name)), uploadOf));
