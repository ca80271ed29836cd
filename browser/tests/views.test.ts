// What the page asks of a run, part by part.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Csr } from "../src/base/csr.ts";
import { drawnPlaces } from "../src/base/drawn.ts";
import { Frame } from "../src/base/frame.ts";
import { fromHalf, rounded, toHalf } from "../src/base/halves.ts";
import { chooseMapped, placeNear, project } from "../src/report/map.ts";
import { levelPicture, mostItsOwn, strongest } from "../src/report/picture.ts";
import { CountsWriter, logNormalised } from "../src/web/arrays.ts";
import { fields, shareField, whole } from "../src/web/asked.ts";
import { unitSquare, usableColumns } from "../src/web/columns.ts";
import { keptCells, readRules } from "../src/web/filters.ts";
import { givenName } from "../src/web/orders.ts";
import { inOrder } from "../src/web/order.ts";
import { keptName } from "../src/web/replies.ts";
import { unpackedBits } from "../src/web/selection.ts";
import { Rows } from "../src/web/weights.ts";

const close = (found: ArrayLike<number>, wanted: number[], far = 1e-6): void => {
  assert.equal(found.length, wanted.length);
  wanted.forEach((value, at) => assert.ok(Math.abs(found[at] - value) <= far, `${found[at]} isn't ${value}`));
};

// A file that tests keep in memory.
function held() {
  let kept = new Uint8Array(0);
  return {
    write: (bytes: Uint8Array, at: number) => {
      const all = new Uint8Array(Math.max(kept.length, at + bytes.length));
      all.set(kept);
      all.set(bytes, at);
      kept = all;
      return true;
    },
    read: (bytes: Uint8Array, at: number) => bytes.set(kept.subarray(at, at + bytes.length)),
    close: () => undefined,
  };
}

test("counts are read by gene and by cell, wherever they lie", () => {
  for (const [spill, most] of [[null, 1e9], [held(), 0]] as const) {
    const writer = new CountsWriter(3, spill, most);
    writer.append(Csr.dense([[0, 2, 0], [1, 0, 5]], 3));
    writer.append(Csr.dense([[0, 300, 0.5]], 3));
    const counts = writer.finish()!;
    assert.deepEqual([...counts.gene(1)], [2, 0, 300]);
    assert.deepEqual([...counts.cell(1)], [1, 0, 5]);
    assert.deepEqual([...counts.rows([0, 2]).toDense()], [0, 2, 0, 0, 300, 0.5]);
    assert.deepEqual([0, 1, 2].map((g) => counts.cellsWith(g)), [1, 2, 2]);
  }
});

test("values that are no whole numbers below 256 are kept as they are among others that are", () => {
  const writer = new CountsWriter(40), row = Array.from({ length: 40 }, (_, g) => (g === 7 ? 1000.25 : g % 5));
  writer.append(Csr.dense([row], 40));
  assert.deepEqual([...writer.finish()!.cell(0)], row);
});

test("counts that fit nowhere are given up in one piece", () => {
  for (const spill of [null, { ...held(), write: () => false }]) {
    const writer = new CountsWriter(3, spill, 4);
    writer.append(Csr.dense([[1, 2, 3]], 3));
    assert.equal(writer.finish(), null);
  }
});

test("log-normalised counts", () => close(logNormalised([0, 1, 5], [0, 10_000, 50_000]), [0, 0.693147, 0.693147]));

test("half precision is NumPy's", () => {
  assert.deepEqual([0, 1, -2, 0.1, 65504, 65520, 6e-8, NaN].map(toHalf), [0, 15360, 49152, 11878, 31743, 31744, 1, 32256]);
  assert.deepEqual([0.1, 1 / 3, 2.5e-5].map(rounded), [0.0999755859375, 0.333251953125, 2.4974346160888672e-5]);
  for (let half = 0; half < 31744; half += 1) assert.equal(toHalf(fromHalf(half)), half);
});

test("cells are drawn as NumPy draws them", () => {
  assert.deepEqual([...drawnPlaces(12_000, 1000).subarray(0, 5)], [3, 32, 40, 54, 61]);
  assert.deepEqual([...drawnPlaces(30_000, 300).subarray(0, 5)], [81, 159, 246, 439, 478]);
});

test("weights of few cells are kept as they were, those of many without what is next to nothing", () => {
  const rows = { data: Float32Array.of(0.25, 0.75, 0, 1, 0, 0), width: 3 }, few = new Rows(3, 2), many = new Rows(2, 500_000);
  few.append(rows);
  assert.deepEqual([...few.take([1, 0]).data], [1, 0, 0, 0.25, 0.75, 0]);
  many.append({ data: Float32Array.of(0.99995, 0.00005), width: 2 });
  close(many.take([0]).data, [1, 0], 1e-4);
});

test("a map keeps neighbours together", () => {
  assert.equal(project({ data: Float32Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1), width: 3 }).length, 6);
  assert.deepEqual([...chooseMapped(3)], [0, 1, 2]);
  const landmarks = { data: Float32Array.of(1, 0, 0, 1), width: 2 }, cells = Float32Array.of(1, 0, 1, 0, 0, 1);
  close(placeNear([cells], landmarks, Float64Array.of(0.2, 0.2, 0.8, 0.8), 3), [0.2, 0.2, 0.2, 0.2, 0.8, 0.8], 0.05);
  const groups = Float32Array.from({ length: 60 * 3 }, (_, at) => Number(at % 3 === Math.floor(at / 3) % 3) + 0.01 * ((at * 7919) % 13));
  const places = project({ data: groups, width: 3 }), far = (i: number, j: number): number => Math.hypot(places[2 * i] - places[2 * j], places[2 * i + 1] - places[2 * j + 1]);
  let within = 0, between = 0;
  for (let i = 0; i < 60; i += 1) for (let j = 0; j < i; j += 1) if (i % 3 === j % 3) within += far(i, j) / 570; else between += far(i, j) / 1200;
  assert.ok(places.every((place) => place >= 0 && place <= 1) && 2 * within < between);
});

test("pictures of cells", () => {
  assert.deepEqual([...levelPicture([0, 4, 1], [0, 1, 2], null, 2)], [2, 50, 27, 0]);
  assert.deepEqual(strongest([0, 4, 9], 5), [2, 1]);
  assert.deepEqual(mostItsOwn([50, 9, 9], [[50, 0, 9]], 1), [1]);
});

test("columns by which cells can be coloured", () => {
  const table = new Frame(["a", "b", "c", "d"], new Map([
    ["day", { kind: "text", values: ["d2", "d10", "d2", "d10"] }],
    ["barcode", { kind: "text", values: ["a", "b", "c", "d"] }],
    ["depth", { kind: "number", values: Float64Array.of(1.5, 2, 3, NaN), whole: false }],
  ]));
  const { columns, leftOut } = usableColumns(table);
  assert.deepEqual(columns.map(({ name, categories }) => [name, categories]), [["day", ["d2", "d10"]], ["depth", null]]);
  assert.deepEqual(leftOut, ["barcode"]);
  close(unitSquare([0, 0, 4, 2]), [0, 1, 0.25, 0.75]);
});

test("filters keep values and ranges", () => {
  const kept = {
    columns: [
      { name: "counts", values: Float32Array.of(1, 5, NaN), categories: null, isOurs: true },
      { name: "day", values: Uint16Array.of(0, 65535, 1), categories: ["d1", "d2"], isOurs: false },
    ],
    described: [], leftOut: [], maps: [],
  };
  const passing = (text: string): number[] => [...keptCells(kept, text, 3)];
  assert.deepEqual(passing(""), [1, 1, 1]);
  assert.deepEqual(passing('{"run counts": {"low": 2, "high": null}}'), [0, 1, 0]);
  assert.deepEqual(passing('{"file day": {"keep": ["d1", ""]}}'), [1, 1, 0]);
  assert.throws(() => passing('{"file counts": {}}'), { status: 422, sentence: "There is no column 'file counts' to filter by." });
  for (const odd of ["{", "[]", '{"a": 1}', '{"a": {"odd": 1}}', '{"a": {"low": "x"}}', '{"a": {"keep": [1]}}']) assert.throws(() => readRules(odd), { status: 422 });
});

test("chosen cells travel as bits", () => {
  assert.deepEqual([...unpackedBits("BQ==", 4)], [1, 0, 1, 0]);
  assert.throws(() => unpackedBits("!!", 4), { sentence: "The cells can't be read: they are no base64." });
  assert.throws(() => unpackedBits("AAAA", 4), { sentence: "The cells can't be read: 4 cells take 1 bytes." });
});

test("what can't be is refused in the server's words", () => {
  const refused = (sentence: string) => ({ status: 422, sentence });
  assert.throws(() => whole("first", null), refused("first: Field required."));
  assert.throws(() => whole("first", "x"), refused("first: Input should be a valid integer, unable to parse string as an integer."));
  assert.throws(() => whole("first", "9", 0, 8), refused("first: Input should be less than or equal to 8."));
  const threshold = (body: unknown): number => fields(body, ["threshold"], (told) => shareField(told, "threshold"));
  assert.throws(() => threshold({ threshold: 2 }), refused("threshold: Input should be less than or equal to 1."));
  assert.throws(() => threshold({ threshold: 1, odd: 1 }), refused("odd: Extra inputs are not permitted."));
  assert.throws(() => givenName({ types: [0], name: " " }), refused("name: String should have at least 1 character."));
  assert.equal(givenName({ types: [0], name: " my cells " }).name, "my cells");
});

test("keys are compared as Python compares tuples", () => {
  const keys = [[1, ["b"]], [0, ["z"]], [1, [2]], [1, ["a", 1]], [1, ["a"]]];
  assert.deepEqual(keys.map((key) => ({ key })).sort(inOrder).map(({ key }) => key), [[0, ["z"]], [1, [2]], [1, ["a"]], [1, ["a", 1]], [1, ["b"]]]);
});

test("files to keep have plain names", () => {
  assert.equal(keptName("my cells.h5ad", "types.csv"), "my_cells.types.csv");
  assert.equal(keptName('";\r\nX: é', "report.html"), "X.report.html");
});
