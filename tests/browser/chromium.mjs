// Answers a conformance set in a browser: the page's folder and the set lie beside this file.

import { answered, loaded } from "./answering.mjs";

const json = async (name) => (await fetch(name)).json();

async function read(name) {
  const bytes = await (await fetch(name)).arrayBuffer();
  return new Uint8Array(bytes);
}

async function unpacked(name) {
  const stream = (await fetch(`page/${name}`)).body.pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

const { cases, files } = await json("set/set.json");
const engine = await loaded(await json("page/manifest.json"), unpacked);

async function uploadOf(input) {
  const name = input.split("/").pop();
  const held = files[input].map(async ([inner, path]) => [inner, new engine.HeldBytes(path.split("/").pop(), await read(`set/${path.split("/").map(encodeURIComponent).join("/")}`))]);
  return { name, files: new Map(await Promise.all(held)) };
}

globalThis.told = await answered(engine, cases, uploadOf);
