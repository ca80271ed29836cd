// The atlas of a model's types as the server gives it, each type with its picture.

import { read, readJson } from "./api.js";
import { sparseLevels } from "./grid.js";

const atlases = new Map();

export function atlasOf(model, grid) {
  if (!atlases.has(model)) atlases.set(model, load(model, grid).catch((error) => { atlases.delete(model); throw error; }));
  return atlases.get(model);
}

async function load(model, grid) {
  const query = `?model=${encodeURIComponent(model)}`;
  const atlas = await readJson(`/api/atlas${query}`);
  const bytes = await (await read(`/api/atlas/pictures${query}`)).arrayBuffer();
  const view = new DataView(bytes);
  const { shown } = atlas;
  atlas.types.forEach((type, at) => {
    const start = 3 * shown * at;
    const pixels = Array.from({ length: shown }, (_, k) => view.getUint16(start + 2 * k, true));
    type.at = at;
    type.pixels = pixels;
    type.levels = sparseLevels(grid, pixels, new Uint8Array(bytes, start + 2 * shown, shown));
  });
  return atlas;
}
