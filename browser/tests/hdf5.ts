// HDF5 for tests: the library is started with the machine code that the engine's folder has.

import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { startHdf5 } from "../src/io/storage/library.ts";

const CODE = new URL("../../../src/spoticell/web/static/engine/hdf5.wasm.gz", import.meta.url);

export const started = (): Promise<void> => startHdf5(new Uint8Array(gunzipSync(readFileSync(CODE))));
