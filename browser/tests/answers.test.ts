// The answer rule, what calibrates, and which types can be: as their tests in Python.

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { allowedTypes, labelsWithin, Restriction } from "../src/annotation/allowed.ts";
import { answersAt } from "../src/annotation/decision.ts";
import { Options } from "../src/annotation/options.ts";
import { SampleTissues, showTissues } from "../src/annotation/sample_tissue.ts";
import { tissueChances } from "../src/annotation/tissue_chances.ts";
import type { Matrix } from "../src/base/matrix.ts";
import { AnswerRule, answers, Standing } from "../src/biology/answer_rule.ts";
import { LabelWeights } from "../src/biology/label_weights.ts";
import { loadOntology, reachMatrix } from "../src/biology/ontology.ts";
import { Relatives } from "../src/biology/relatives.ts";
import { findTissue, possibleLabels, tissuesOf } from "../src/biology/tissues.ts";
import { loadBundle } from "../src/model/bundle.ts";
import { Calibration, logDepth, Softening, Stranger, Together, Trust } from "../src/model/calibration.ts";
import { loadTables } from "./support.ts";

const LYMPHOCYTE = "CL:0000542", T = "CL:0000084", CD4 = "CL:0000624", B = "CL:0000236", NK = "CL:0000623";

const matrix = (...rows: number[][]): Matrix => ({ data: Float32Array.from(rows.flat()), width: rows[0].length });
const near = (found: ArrayLike<number>, meant: number[], off = 1e-6) => {
  assert.equal(found.length, meant.length);
  meant.forEach((value, i) => assert.ok(Math.abs(found[i] - value) <= off, `${Array.from(found)} instead of ${meant}`));
};

before(() => loadTables());

test("a threshold only says how far down an answer goes", () => {
  const nodes = [LYMPHOCYTE, T, CD4, B], said = matrix([1, 0.9, 0.4, 0.1], [1, 0.5, 0.3, 0.5]);
  for (const [threshold, meant] of [[0.5, [1, 0]], [0.3, [2, 0]]] as const) {
    assert.deepEqual(Array.from(answers(said, nodes, loadOntology(), threshold)[0]), meant);
  }
  assert.throws(() => answers(matrix([1]), nodes, loadOntology(), 0.5), { message: "There are 4 nodes but probabilities of shape (1, 1)." });
});

test("a probability that is no number is never sure enough", () => {
  assert.deepEqual(Array.from(answers(matrix([NaN, 0, NaN]), [LYMPHOCYTE, T, B], loadOntology(), 0)[0]), [-1]);
});

test("the second best is the likeliest type apart from the answer", () => {
  const rule = new AnswerRule([LYMPHOCYTE, T, B, NK], loadOntology());
  const [secondN, chanceN] = rule.secondBest(matrix([1, 0.7, 0.1, 0.2], [1, 0.7, 0.1, 0.2], [1, 1, 0, 0]), [1, -1, 1]);
  assert.deepEqual(Array.from(secondN), [3, -1, -1]);
  near(chanceN, [0.2, 0, 0]);
  assert.deepEqual(rule.alternatives([1, 0.7, 0.1, 0.2], 1, 3), [3, 2]);
});

test("cells that are missing at the end stay unknown", () => {
  const one = new Standing(Int32Array.of(7, 3), Float32Array.of(0.4, 0.9), Int32Array.of(2));
  const joined = Standing.join([one, Standing.none(1)], 3);
  assert.deepEqual(joined.answers(0.5).map((values) => Array.from(values)), [[3, -1, -1], [Math.fround(0.9), 0, 0]]);
  assert.deepEqual(Array.from(joined.answers([0.3, 0, 0])[0]), [7, -1, -1]);
});

test("answers follow from their grounds at any threshold", () => {
  const grounds = { standing: new Standing(Int32Array.of(7, 3), Float32Array.of(0.4, 0.9), Int32Array.of(2)), countsN: [1000], familiarityN: null };
  const at = (threshold: number) => answersAt(grounds, threshold, { trust: null, nMeasured: 0 }).answerN[0];
  assert.deepEqual([0.3, 0.5, 0.95].map(at), [7, 3, -1]);
});

test("a cell that is too strange is doubted", () => {
  const stranger = new Stranger({ counts: 0.2, genes: 1.3, intercept: 7 });
  const trust = new Trust({ chance: 0.5, depth: 0, familiarity: 1, intercept: -9, stranger });
  const standing = new Standing(Int32Array.of(1, 1), Float32Array.of(0.9, 0.9), Int32Array.of(1, 1));
  const found = answersAt({ standing, countsN: [1000, 1000], familiarityN: Float32Array.of(9, 8) }, 0.5, { trust, nMeasured: 20_000 });
  assert.deepEqual([Array.from(found.answerN), Array.from(found.doubtedN)], [[1, -1], [0, 1]]);
});

test("label weights and node probabilities lead to each other", () => {
  const labels = [LYMPHOCYTE, T, B], [nodes] = reachMatrix(labels, loadOntology());
  const weights = new LabelWeights(labels, nodes, loadOntology());
  const said = weights.summed(matrix([0.25, 0.5, 0.25]));
  near(said.data.slice(nodes.indexOf(LYMPHOCYTE), nodes.indexOf(LYMPHOCYTE) + 1), [1]);
  near(weights.of(said).data, [0.25, 0.5, 0.25]);
  assert.throws(() => new LabelWeights(labels, nodes.slice(1), loadOntology()), { message: "the nodes aren't the labels and the terms above them." });
});

test("the weight of a type that can't be goes to its relatives", () => {
  const labels = ["CL:0000650", "CL:0000669", "CL:0000115"], [nodes] = reachMatrix(labels, loadOntology());
  const weights = new LabelWeights(labels, nodes, loadOntology());
  const noKidney = new Relatives(weights, nodes, loadOntology(), nodes.map((node) => node !== "CL:0000650"));
  const { data } = noKidney.apply(weights.summed(matrix([0.7, 0.1, 0.2])));
  near(labels.map((label) => data[nodes.indexOf(label)]), [0, 0.8, 0.2]);
});

test("labels that aren't allowed are left out, and too little weight makes a cell unknown", () => {
  const labels = [LYMPHOCYTE, T, B], [nodes] = reachMatrix(labels, loadOntology());
  const onlyT = new Restriction(labels, nodes, loadOntology(), Uint8Array.of(0, 1, 0));
  const { data } = onlyT.apply(new LabelWeights(labels, nodes, loadOntology()).summed(matrix([0.2, 0.5, 0.3], [0.97, 0.03, 0])));
  near(labels.map((label) => data[nodes.indexOf(label)]), [1, 1, 0]);
  assert.ok(data.subarray(nodes.length).every((value) => value === 0));
  assert.deepEqual(Array.from(labelsWithin([B, T, CD4], loadOntology(), { allow: [LYMPHOCYTE], deny: [CD4] })), [1, 1, 0]);
});

test("what is allowed is said, and refused in words", () => {
  const bundle = loadBundle(), allowed = allowedTypes(bundle, { allow: "T cell", tissue: "Lung" })!;
  assert.match(allowed.describe(), /^\d+ of the 410 types that the model knows: in lung; among T cell \(CL:0000084\)$/);
  assert.equal(allowedTypes(bundle, {}), null);
  const refused: [Parameters<typeof allowedTypes>[1], RegExp][] = [
    [{ allow: ["PC"] }, /^'PC' may mean several types in the Cell Ontology \(2026-03-26\); near it are '.*'\. Give one such as/],
    [{ tissue: "moon" }, /^there is no tissue 'moon'; there are adipose tissue, /],
    [{ allow: [T], deny: ["leukocyte"] }, /^no type is left to answer with: 0 of the 410 types .* Allow more, or deny less\.$/],
    [{ allow: ["pro-NK cell"] }, /^the model human-v1 knows neither pro-NK cell \(CL:0000825\) nor a subtype/],
  ];
  for (const [asked, message] of refused) assert.throws(() => allowedTypes(bundle, asked), { name: "ConfigError", message });
});

test("calibrations and scores are those of Python", () => {
  near(new Calibration({ slope: 0.5, depth: 1, intercept: 0 }).apply(matrix([0.9, 0], [0.9, 0]), [1000, 100]).data, [0.75, 0, 0.52, 0], 0.005);
  near(new Softening({ power: -0.3, depth: 0 }).apply(matrix([0.9, 0.1]), [1000]).data, [0.75, 0.25], 0.005);
  near(new Together({ power: 0.3 }).apply(matrix([0.7, 0.3], [0.7, 0.3]), [0.9, 0]).data, [0.83, 0.17, 0.7, 0.3], 0.005);
  const trust = new Trust({ chance: 0.1, depth: 0.4, familiarity: 1, intercept: -9 });
  near(trust.scores(Float32Array.of(0.9, 0.9), Float32Array.of(10, 7), [2000, 2000]), [0.79, 0.16], 0.005);
  const doubting = new Trust({ chance: 0.5, depth: 0, familiarity: 1, intercept: -9, doubt: 0.2 });
  near(doubting.least(Float32Array.of(10, 7, 0), [1000, 1000, 1000], 0.3), [0.008, 0.773, 2], 0.0005);
  assert.deepEqual([logDepth(0), logDepth(1000)], [-3, 0]);
});

test("tissues have types of their own", () => {
  assert.deepEqual([findTissue("PBMC").name, findTissue("UBERON:0001155").name], ["blood", "intestine"]);
  assert.deepEqual(possibleLabels(["CL:0000182", "CL:0000583", T], findTissue("lung"), loadOntology()), [false, true, true]);
  assert.deepEqual(tissuesOf(["CL:1000488", T], loadOntology()).map((places) => places && [...places].sort()), [["liver", "pancreas"], null]);
});

test("a sample shows its tissue by types of its own", () => {
  const nodes = ["CL:0000182", "CL:0000091", "CL:0000650", T];
  const found = showTissues(matrix([0.5, 0.2, 0.1, 0.2]), [0, 1, 2, 3], nodes, loadOntology());
  assert.deepEqual([[...found.shares.keys()], Array.from(found.possibleM)], [["liver"], [1, 1, 0, 1]]);
  assert.deepEqual([...tissueChances(Float64Array.of(0.5, 0.2, 0.1, 0.2), nodes)], [["liver", 0.9997]]);
  assert.equal(new SampleTissues(new Map(), Uint8Array.of(1), true).looks(), "The cells look like blood, or blood cells of another tissue");
  const lung = new SampleTissues(new Map([["lung", 0.126]]), Uint8Array.of(1));
  assert.equal(lung.describe(), "The cells look like those of lung (13% are of its own types), so types of other tissues were no answer.");
});

test("a mixture shows its tissues by types that aren't forms of what all organs have", () => {
  const nodes = ["CL:0002131", "CL:0002548", "CL:0000650", "CL:0000182", T], each = [10, 20, 9, 6, 5];
  const rows = each.flatMap((cells, label) => Array.from({ length: cells }, () => nodes.map((_, c) => (c === label ? 1 : 0))));
  const found = showTissues(matrix(...rows), [0, 1, 2, 3, 4], nodes, loadOntology());
  assert.deepEqual([[...found.shares.keys()], Array.from(found.possibleM), found.chances.size], [["heart", "liver"], [1, 1, 1, 1, 1], 0]);
  assert.match(found.describe(), /heart \(60% are of its own types\) and liver \(12% are of its own types\), so types of all tissues were possible\.$/);
});

test("options that can't be are refused, and the others can be repeated", () => {
  assert.equal(new Options({ tissue: "lung" }).command("cells.h5ad", "named.h5ad"), "spoticell annotate cells.h5ad -o named.h5ad --tissue lung");
  assert.equal(new Options({ tissue: "PBMC", threshold: 0.3 }).settled().command("a", "b"), "spoticell annotate a -o b --tissue blood");
  assert.throws(() => new Options({ threshold: 1.5 }), { message: "the threshold is 1.5; it is a probability, from 0 to 1." });
  assert.throws(() => new Options({ keyAdded: "_x" }), { message: "key_added is '_x'; it must not be empty, start with '_' or hold '/'." });
});
