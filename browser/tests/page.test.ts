// The answers to the page for the demo cells, from the file to what a reader sees.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { before, test } from "node:test";
import { HeldBytes } from "../src/io/bytes.ts";
import { Task } from "../src/web/task.ts";
import { started } from "./hdf5.ts";
import { loadTables } from "./support.ts";

const NAME = "pbmc68k_reduced.h5ad", DEMO = new URL(`../../../src/spoticell/web/demo_cells/${NAME}`, import.meta.url);
let task: Task;

function reply(method: string, place: string, body: unknown = null) {
  const [path, query = ""] = place.split("?");
  return task.ask({ method, path: `/api/jobs/${"0".repeat(32)}/${path}`, query: new URLSearchParams(query), body });
}

function told(method: string, place: string, body: unknown = null): any {
  const { status, body: said } = reply(method, place, body);
  assert.equal(status, 200, String(said));
  return JSON.parse(String(said));
}

before(async () => {
  loadTables();
  await started();
  task = new Task({ name: NAME, files: new Map([[NAME, new HeldBytes(NAME, new Uint8Array(readFileSync(DEMO)))]]) }, () => undefined, "0");
  await task.run({ model: "human-v1", threshold: null, allow: [], deny: [], tissue: null, groups: "bulk_labels", by: null, condition: null, each_cell_alone: false, markers: null, cellxgene: false });
});

test("the summary counts all cells", () => {
  const summary = told("GET", "summary");
  assert.equal(summary.cells, 700);
  assert.equal(summary.types.reduce((sum: number, kind: any) => sum + kind.cells, summary.unknown.cells), 700);
  assert.deepEqual(summary.levels.map(({ name }: any) => name), ["broad", "middle", "fine"]);
  assert.ok(summary.types.every(({ color }: any) => /^#[0-9a-f]{6}$/.test(color)));
});

test("the map has a place, a score and a type for each cell", () => {
  const bytes = reply("GET", "map").body as Uint8Array, n = new DataView(bytes.buffer).getUint32(0, true);
  assert.equal(n, 700);
  assert.equal(bytes.length, 4 + 14 * n);
  assert.ok(new Float32Array(bytes.buffer, 4, 2 * n).every((place) => place >= 0 && place <= 1));
});

test("a cell is found by its place and by its name", () => {
  const cell = told("GET", "cell?cell=3");
  assert.deepEqual(told("GET", `cell?cell=${encodeURIComponent(cell.name)}`), cell);
  const sum = cell.alternatives.reduce((sum: number, { probability }: any) => sum + probability, 0);
  assert.ok(Math.abs(sum - 1) < 1e-3 && cell.genes.length > 0);
  assert.match(JSON.parse(String(reply("GET", "cell?cell=nobody").body)).error, /^There is no such cell\. Give a position from 0 to 699/);
  assert.deepEqual([...(reply("GET", "cells/3/picture.png").body as Uint8Array).subarray(1, 4)], [80, 78, 71]);
});

test("pictures come with what is told, not from an address", () => {
  const { typical } = told("GET", "about?type=0");
  for (const { picture } of [told("GET", "cell?cell=3"), ...typical]) assert.match(picture, /^data:image\/png;base64,iVBORw0KGgo/);
});

test("genes and types are found by any name", () => {
  assert.equal(told("GET", "genes?q=cd79a").genes[0].symbol, "CD79A");
  assert.equal(told("GET", "genes?q=B cells").types[0].short, "B cell");
  const { headers, body } = reply("GET", "genes/CD79A");
  assert.ok(Number(headers["X-Gene-Max"]) > 0 && (body as Uint8Array).includes(255));
  assert.equal(reply("GET", "genes/NOTHING").status, 404);
});

test("what sets B cells apart, and why they are called so", () => {
  const { types } = told("GET", "summary"), b = types.find(({ path }: any) => path.some(({ name }: any) => name === "B cell")).index;
  assert.ok(told("POST", "apart", { types: [b] }).genes.some(({ symbol }: any) => ["CD79A", "CD79B", "MS4A1", "CD74"].includes(symbol)));
  const why = told("GET", `why?type=${b}`), sum = why.contributions.reduce((all: number, one: number) => all + one, 0);
  assert.ok(Math.abs(why.without + sum - why.probability) < 0.05);
});

test("another threshold is shown and taken back", () => {
  const before = told("GET", "summary");
  assert.ok(told("PUT", "threshold", { threshold: 0.9 }).unknown.cells >= before.unknown.cells);
  assert.deepEqual(told("PUT", "threshold", { threshold: before.threshold }), before);
});

test("another tissue is shown and taken back", () => {
  const before = told("GET", "summary"), shown = told("PUT", "tissue", { tissue: "blood" });
  assert.deepEqual(shown.tissue, { shown: "blood", saved: null });
  assert.deepEqual(told("PUT", "tissue", { tissue: null }), before);
  assert.equal(reply("PUT", "tissue", { tissue: "the moon" }).status, 422);
});

test("names are given and undone", () => {
  assert.deepEqual(told("POST", "curated", { types: [0], name: "mine" }).names.map(({ name }: any) => name), ["mine"]);
  assert.deepEqual(told("POST", "curated/undo"), { names: [], edits: 0 });
  assert.equal(reply("POST", "curated/undo").status, 409);
});

test("samples of several files are compared, those without a known type refused", () => {
  const ask = (samples: unknown) => task.ask({ method: "POST", path: "/api/differences", query: new URLSearchParams(), body: { condition: "state", samples } });
  const samples = [8, 7, 8, 3, 2, 3].map((b, at) => ({ name: `s${at}`, condition: at < 3 ? "ill" : "well", cells: { "CL:0000236": 10 * b, "CL:0000084": 100 - 10 * b } }));
  const { condition, conditions, changes } = JSON.parse(String(ask(samples).body)), change = changes.find(({ name }: any) => name === "B cell");
  assert.deepEqual([condition, conditions], ["state", ["ill", "well"]]);
  assert.deepEqual([change.first, change.second, change.q].map((value) => value.toFixed(3)), ["0.767", "0.267", "0.001"]);
  for (const wrong of [[], [{ name: "s", condition: "x", cells: { "B cell": 3 } }], [{ name: "s", condition: "x", cells: {} }]]) assert.equal(ask(wrong).status, 422);
});

test("columns say how the file's own labels agree", () => {
  const place = told("GET", "columns").columns.findIndex(({ name }: any) => name === "bulk_labels");
  const { labelled, understood, agreement } = told("GET", `columns/${place}/labels`);
  assert.deepEqual([labelled, understood], [700, 700]);
  assert.equal(agreement.right + agreement.coarser + agreement.wrong + agreement.unanswered, 700);
});
