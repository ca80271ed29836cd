// What tests share: the tables of the page, from a folder that `spoticell page` wrote.

import { readdirSync, readFileSync, statSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { setPackaged } from "../src/base/packaged.ts";

const PAGE = process.env.SPOTICELL_PAGE ?? "build/page";

export function loadTables(page = PAGE): void {
  const unpacked = (path: string) => new Uint8Array(gunzipSync(readFileSync(`${page}/${path}`)));
  const files: [string, Uint8Array][] = [["hdf5.wasm", unpacked("engine/hdf5.wasm.gz")]];
  const look = (inner: string) => {
    for (const name of readdirSync(`${page}/data/${inner}`)) {
      const path = inner ? `${inner}/${name}` : name;
      if (statSync(`${page}/data/${path}`).isDirectory()) look(path);
      else files.push([path.replace(/\.gz$/, ""), unpacked(`data/${path}`)]);
    }
  };
  look("");
  setPackaged(files);
}
