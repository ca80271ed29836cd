// The network: its reader, its operators, and what it says of cells.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { before, test } from "node:test";
import { decide } from "../src/annotation/decision.ts";
import { Csr } from "../src/base/csr.ts";
import { erf } from "../src/base/erf.ts";
import { packagedBytes, packagedNames, setPackaged } from "../src/base/packaged.ts";
import { loadBundle } from "../src/model/bundle.ts";
import { FirstLayer } from "../src/model/first_layer.ts";
import { checkGraph } from "../src/model/graph.ts";
import { parseManifest } from "../src/model/manifest.ts";
import { prepare } from "../src/model/operators.ts";
import { Message } from "../src/model/protobuf.ts";
import { Runtime } from "../src/model/runtime.ts";
import { loadTables } from "./support.ts";

const ARCHIVE = `${import.meta.dirname}/../../../tests/archive`;

before(() => loadTables());

const near = (found: ArrayLike<number>, meant: number[], off = 1e-6) =>
  meant.forEach((value, i) => assert.ok(Math.abs(found[i] - value) <= off, `${Array.from(found)} instead of ${meant}`));

// A few cells with counts of every so manieth gene, and an empty one.
const someCells = (nGenes: number): Csr => Csr.dense([3, 0, 11, 401].map((step) => Float32Array.from({ length: nGenes }, (_, g) => (step && g % step === 1 ? 1 + (g % 5) : 0))), nGenes);

test("the packaged network is parted, and says of a cell without counts nothing", () => {
  const bundle = loadBundle(), runtime = new Runtime(bundle), measured = new Uint8Array(bundle.manifest.nGenes).fill(1);
  const said = runtime.predict(someCells(bundle.manifest.nGenes), measured);
  assert.equal(said.weightNc!.width, bundle.manifest.labels.length);
  assert.equal(said.nMeasured, 20_532);
  const lengths = [0, 1, 2, 3].map((i) => Math.hypot(...said.fingerprintNd.data.subarray(i * 64, (i + 1) * 64)));
  near(lengths, [1, 0, 1, 1], 1e-5);
  const decision = decide(said, [9000, 0, 2500, 70], bundle, { threshold: 0 });
  assert.equal(decision.answerN[1], -1);
  const { data, width } = decision.probabilityNm;
  assert.ok(data.subarray(width, 2 * width).every((value) => value === 0));
  assert.throws(() => runtime.predict(Csr.empty(3), measured), /counts have 3 genes; the bundle human-v1 has 20532/);
});

test("what is said of a cell doesn't depend on those beside it", () => {
  const bundle = loadBundle(), runtime = new Runtime(bundle), measured = new Uint8Array(bundle.manifest.nGenes).fill(1);
  const all = someCells(bundle.manifest.nGenes), alone = runtime.predict(all.slice(2, 3), measured), together = runtime.predict(all, measured);
  const { data, width } = together.probabilitiesNm;
  assert.deepEqual(alone.probabilitiesNm.data, data.slice(2 * width, 3 * width));
});

test("bundles of all formats are run", () => {
  for (const format of ["1.0", "1.1", "1.2", "1.3", "1.4"]) {
    loadTables();
    const folder = `${ARCHIVE}/bundle-${format}/bundle`, kept = packagedNames().filter((name) => !name.startsWith("model/"));
    const files = readdirSync(folder).map((name): [string, Uint8Array] => [`model/${name}`, new Uint8Array(readFileSync(`${folder}/${name}`))]);
    setPackaged([...kept.map((name): [string, Uint8Array] => [name, packagedBytes(name)]), ...files]);
    const bundle = loadBundle(), said = new Runtime(bundle).predict(someCells(200), new Uint8Array(200).fill(1));
    assert.equal(bundle.manifest.formatVersion, format);
    assert.equal(said.familiarityN === null, format < "1.2");
    const { probabilityNm, answerN } = decide(said, [400, 0, 60, 1], bundle, { threshold: 0 });
    assert.deepEqual([answerN.length, answerN[1], probabilityNm.width], [4, -1, bundle.nodes.length]);
    near([Math.max(...said.probabilitiesNm.data)], [1]);
  }
  loadTables();
});

test("bundles of another format are refused, and faults are named", () => {
  const raw = packagedBytes("model/bundle.json"), told = JSON.parse(new TextDecoder().decode(raw)) as Record<string, unknown>;
  const refused: [Record<string, unknown>, RegExp][] = [
    [{ format_version: "2.0" }, /^W has format 2\.0, and this Spoticell reads 1\.x; use the release/],
    [{ format_version: "new" }, /^W is not a Spoticell manifest: its format_version is 'new'\.$/],
    [{ threshold: 2 }, /^W is not a sound manifest: threshold: Input should be less than or equal to 1\.$/],
    [{ grid: 3 }, /^W is not a sound manifest: a 3 by 3 grid has no room for 20532 genes\.$/],
    [{ novel: 1 }, /^W is not a sound manifest: novel: Extra inputs are not permitted\.$/],
  ];
  const parse = (changed: Record<string, unknown>) => parseManifest(new TextEncoder().encode(JSON.stringify({ ...told, ...changed })), "W");
  for (const [changed, message] of refused) assert.throws(() => parse(changed), { name: "BundleError", message });
  assert.equal(parse({ format_version: "1.9", novel: 1 }).formatVersion, "1.9");
});

test("a damaged or strange graph is refused in words", () => {
  const { manifest } = loadBundle(), contents = packagedBytes("model/model.onnx");
  assert.throws(() => checkGraph(contents.subarray(0, 1000), manifest, "W"), { name: "BundleError", message: /^can't load model\.onnx of W: it is no ONNX graph/ });
  assert.throws(() => checkGraph(new Uint8Array(0), manifest, "W"), { message: "can't load model.onnx of W: it is no ONNX graph. Export the bundle again." });
  const strange = contents.slice(), at = new TextDecoder("latin1").decode(strange).indexOf("Gelu");
  strange.set(new TextEncoder().encode("Loop"), at);
  assert.throws(() => checkGraph(strange, manifest, "W"), { message: /it has the operator 'Loop', unlike exported networks/ });
  const other = { ...manifest, labels: [...manifest.labels].reverse() };
  assert.throws(() => checkGraph(contents, other, "W"), { message: /^the network of the bundle W has other labels, or in another order/ });
});

test("an operator that the browser doesn't know is refused", () => {
  const node = { input: ["x"], output: ["y"], opType: "Conv", attributes: new Map() };
  assert.throws(() => prepare(node, [null]), { name: "BundleError", message: "it has the operator 'Conv', which can't be run in the browser" });
});

test("operators repeat what one of two tensors lacks", () => {
  const node = (opType: string, input: string[]) => ({ input, output: ["y"], opType, attributes: new Map() });
  const [rows, row, column] = [[2, 3], [3], [2, 1]].map((dims) => ({ data: Float32Array.from({ length: dims.reduce((a, b) => a * b) }, (_, i) => i + 1), dims }));
  const run = (opType: string, ...given: (typeof rows)[]) => prepare(node(opType, given.map((_, i) => String(i))), given.map(() => null))(given);
  assert.deepEqual(Array.from(run("Mul", rows, row).data), [1, 4, 9, 4, 10, 18]);
  assert.deepEqual(Array.from(run("Sub", rows, column).data), [0, 1, 2, 2, 3, 4]);
  assert.deepEqual(run("Add", column, row), { data: Float32Array.of(2, 3, 4, 3, 4, 5), dims: [2, 3] });
  assert.deepEqual(run("Transpose", rows), { data: Float32Array.of(1, 4, 2, 5, 3, 6), dims: [3, 2] });
  near(run("Softmax", { data: Float32Array.of(0, Math.log(3)), dims: [1, 2] }).data, [0.25, 0.75]);
  near(run("Gelu", { data: Float32Array.of(-1, 0, 1), dims: [3] }).data, [-0.15865525, 0, 0.84134475]);
});

test("the first layer looks at measured genes with counts only", () => {
  const layer = new FirstLayer(Float32Array.of(1, 2, 1), 2, { data: Float32Array.of(1, 0, 0, 1, 1, 1), width: 2 }, Float32Array.of(0.5, 0));
  const made = layer.apply(Csr.dense([[9, 4, 0], [0, 0, 7], [0, 0, 0]], 3), [true, true, false]);
  // 3 and 4 are a fifth of the length each; the third gene isn't measured
  near(made.data, [0.5 + 1.2, 1.6, 0.5, 0, 0.5, 0]);
});

test("the error function is exact", () => {
  near([0, 0.1, 0.5, 1, -2, 3.9, 5, -9].map(erf), [0, 0.1124629160182849, 0.5204998778130465, 0.8427007929497149, -0.9953222650189527, 0.9999999652077514, 1, -1], 1e-12);
});

test("negative numbers of a message keep their sign", () => {
  const minusOne = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1];
  const message = new Message(Uint8Array.of(8, ...minusOne, 16, 172, 2, 26, 2, 65, 66, 34, 2, 1, 3));
  assert.deepEqual([message.number(1), message.number(2), message.text(3), message.wholes(4)], [-1, 300, "AB", [1, 3]]);
  assert.throws(() => new Message(Uint8Array.of(8)), { name: "BundleError" });
});
