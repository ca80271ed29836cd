// Makes src/base/kernels_wasm.ts of src/base/kernels.wat: run it when that is changed.

import { readFileSync, writeFileSync } from "node:fs";
import wabt from "wabt";

const HERE = `${import.meta.dirname}/src/base`;
const { parseWat } = await wabt();
const { buffer } = parseWat("kernels.wat", readFileSync(`${HERE}/kernels.wat`, "utf8"), { simd: true }).toBinary({});
const lines = Buffer.from(buffer).toString("base64").match(/.{1,110}/g).map((line) => `  "${line}"`);
writeFileSync(`${HERE}/kernels_wasm.ts`, `// Made of kernels.wat by kernels.mjs.\nexport const KERNELS =\n${lines.join(" +\n")};\n`);
