// Builds the engine into the Python package, or --to another folder; with --tests the tests into build/tests, for node to run.

import { build } from "esbuild";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { templates } from "./templates.mjs";

const HERE = import.meta.dirname;
const to = process.argv.indexOf("--to");
const ENGINE = to < 0 ? `${HERE}/../src/spoticell/web/static/engine` : process.argv[to + 1];

// HDF5's machine code lies in h5wasm's JavaScript as one long text; here it becomes a file of its own, a quarter of the
// size. What h5wasm has for asking the network for files is taken out with it.
const hdf5 = {
  name: "hdf5",
  setup(built) {
    built.onLoad({ filter: /hdf5_util\.js$/ }, ({ path }) => {
      const source = readFileSync(path, "utf8");
      const start = cut(source, "binaryDecode('") + "binaryDecode(".length, end = source.indexOf("')}", start) + 1;
      writeMachineCode(source.slice(start + 1, end - 1));
      const loading = cut(source, "if(ENVIRONMENT_IS_WEB||ENVIRONMENT_IS_WORKER){try{scriptDirectory");
      const after = source.indexOf("else{}", loading) + "else{}".length;
      const rest = source.slice(0, loading) + source.slice(after, start) + "''" + source.slice(end);
      return { contents: rest.replaceAll("XMLHttpRequest", "undefined"), loader: "js" };
    });
  },
};

function cut(source, words) {
  const place = source.indexOf(words);
  if (place < 0) throw new Error(`h5wasm has changed: it has no ${words}`);
  return place;
}

// Undoes the quoting of a JavaScript text and h5wasm's own: each letter stands for the byte whose bits are turned over.
function writeMachineCode(quoted) {
  const escapes = { n: "\n", r: "\r", t: "\t", b: "\b", f: "\f", v: "\v", 0: "\0" };
  const text = quoted.replace(/\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|(.))/gis, (_, two, four, letter) => (
    letter === undefined ? String.fromCharCode(parseInt(two ?? four, 16)) : escapes[letter] ?? letter));
  const code = Uint8Array.from(text, (letter) => ~letter.charCodeAt(0) >> 8 & letter.charCodeAt(0));
  mkdirSync(ENGINE, { recursive: true });
  writeFileSync(`${ENGINE}/hdf5.wasm.gz`, gzipSync(code, { level: 9 }));
}

// What the engine is built with, and under which licences: the libraries that are named, and what the one for templates needs.
function licences() {
  const { dependencies } = JSON.parse(readFileSync(`${HERE}/package.json`, "utf8"));
  const texts = [...Object.keys(dependencies), "a-sync-waterfall", "asap"].sort().map((name) => {
    const folder = `${HERE}/node_modules/${name}`, file = readdirSync(folder).find((one) => one.startsWith("LICENSE"));
    const { version } = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"));
    return `${name} ${version}\n\n${readFileSync(`${folder}/${file}`, "utf8").trim()}\n`;
  });
  return `The engine and hdf5.wasm.gz hold code of these libraries.\n\n${texts.join("\n----\n\n")}`;
}

const shared = { plugins: [hdf5, templates], bundle: true, format: "esm", target: "es2022", charset: "utf8", logLevel: "warning", external: ["node:*"] };

if (process.argv.includes("--tests")) {
  const names = readdirSync(`${HERE}/tests`).filter((name) => name.endsWith(".test.ts"));
  await build({ ...shared, entryPoints: names.map((name) => `${HERE}/tests/${name}`), outdir: `${HERE}/build/tests`, outExtension: { ".js": ".mjs" }, platform: "node", sourcemap: "inline" });
} else {
  await build({ ...shared, entryPoints: [`${HERE}/src/engine.ts`], outfile: `${ENGINE}/engine.js`, minify: true, legalComments: "none", platform: "neutral", mainFields: ["module", "main"] });
  writeFileSync(`${ENGINE}/LICENSES.txt`, licences());
}
