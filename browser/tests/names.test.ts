// Names of types, their colours, and the commands that repeat a run.

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { byWeight, TypeColors } from "../src/annotation/colors.ts";
import { pythonCall, shellCommand } from "../src/annotation/commands.ts";
import { verdicts } from "../src/annotation/figures.ts";
import { closeMatches } from "../src/base/close_matches.ts";
import { words } from "../src/biology/columns.ts";
import { closestNames, everydayNames, meaningsOf, readName } from "../src/biology/everyday.ts";
import { harmonise } from "../src/biology/labels.ts";
import { loadOntology } from "../src/biology/ontology.ts";
import { colorsOf, inkOn, oklab, oklch, scoreColor, seenWithoutGreen, SLOTS, termColor } from "../src/biology/palette.ts";
import { hasShortName, shortName, termOfShort } from "../src/biology/short_names.ts";
import { loadTables } from "./support.ts";

before(() => loadTables());

test("names are read as people write them", () => {
  const named = ["T-cells", "Tregs", "CD56+ NK", "AT II", " t lymphocyte ", "cl_0000084", "CD4+ T"].map((text) => loadOntology().name(readName(text)!));
  assert.deepEqual(named, [
    "T cell", "regulatory T cell", "natural killer cell", "pulmonary alveolar type 2 cell", "T cell", "T cell", "CD4-positive, alpha-beta T cell",
  ]);
  assert.equal(readName("PC"), null);
  assert.ok(meaningsOf("PC").length > 1);
  assert.deepEqual(["?", "T?", "cluster 3", "12", "a", ""].map((text) => meaningsOf(text).length), [0, 0, 0, 0, 0, 0]);
});

test("what isn't understood has names near it", () => {
  assert.deepEqual(closestNames("Endo"), ["endothelial cell", "endocrine cell"]);
  assert.deepEqual(closestNames("B Activated"), ["B cell"]);
  assert.equal(closestNames("GZMK CD8 effector memory T cells")[0], "effector memory CD8-positive, alpha-beta T cell");
  assert.deepEqual(closeMatches("appel", ["ape", "apple", "peach", "puppy"], 3, 0.6), ["apple", "ape"]);
});

test("the ontology knows its levels", () => {
  const ontology = loadOntology();
  assert.equal(ontology.version, "2026-03-26");
  assert.equal(ontology.broad("CL:0000624"), "CL:0000084");
  assert.deepEqual(["CL:0000624", "CL:0000113"].map((term) => ontology.name(ontology.broadLevel(term))), ["T cell", "mononuclear phagocyte"]);
  const path = ontology.path("CL:0000625").map((term) => ontology.name(term));
  assert.deepEqual([path[0], path[3]], ["T cell", "CD8-positive, alpha-beta T cell"]);
  assert.deepEqual(ontology.descendants(["CL:0000650", "CL:0000669"]), [3, 13]);
  assert.throws(() => ontology.name("CL:1"), { name: "ConfigError", message: /^'CL:1' is no term of the Cell Ontology \(2026-03-26\)/ });
});

test("short names are unique", () => {
  assert.deepEqual(["CL:0000904", "CL:0002063", "unknown", "CL:0020033"].map(shortName), ["CD4 Tcm", "AT2", "unknown", "stem cell memory CD4+ T cell"]);
  assert.deepEqual([hasShortName("CL:0000623"), hasShortName("CL:0000825")], [true, false]);
  assert.deepEqual(["cd4 tcm", "AT2 cells", "T"].map(termOfShort), ["CL:0000904", "CL:0002063", null]);
  const names = loadOntology().terms.map((term) => shortName(term).toLowerCase());
  assert.equal(new Set(names).size, names.length);
  assert.deepEqual(everydayNames("CL:0000623"), ["CD16 NK", "CD56 NK", "NK cell", "NK lymphocyte"]);
});

test("labels are terms, or named as not understood", () => {
  const labels = harmonise(words({ kind: "text", values: ["T cells", "clump", "unknown", null, "clump"] }), "type");
  assert.deepEqual(labels.termN, ["CL:0000084", "", "", "", ""]);
  assert.deepEqual([[...labels.unresolved], labels.nUnlabelled, labels.nUnderstood], [[["clump", 2]], 2, 1]);
  const [t, cd4, b] = ["CL:0000084", "CL:0000624", "CL:0000236"];
  assert.deepEqual(verdicts([t, cd4, cd4, b, ""], [cd4, t, b, "unknown", cd4]), { right: 1, coarser: 1, wrong: 1, unanswered: 1 });
});

test("types that are shown together have different colours", () => {
  const [few, more] = [colorsOf(["CL:0000084"]), colorsOf(["CL:0000084", "CL:0000625"])];
  assert.equal(few.get("CL:0000084"), more.get("CL:0000084"));
  assert.notEqual(more.get("CL:0000084"), more.get("CL:0000625"));
  assert.equal(termColor("unknown"), "#9a9a9a");
  assert.ok(SLOTS.includes(termColor("CL:0000084")));
  const colors = new TypeColors(["CL:0000624", "CL:0000625"], { broad: new Map([["CL:0000084", ["CL:0000624", "CL:0000625"]]]) });
  assert.equal(new Set(["CL:0000624", "CL:0000625", "unknown"].map((term) => colors.of(term))).size, 3);
  assert.equal(colors.of("CL:0000084"), colors.of("CL:0000624"));
  assert.deepEqual(byWeight(new Map([["CL:0000624", 9], ["CL:0000084", 1], ["CL:0000236", 5]])), ["CL:0000084", "CL:0000624", "CL:0000236"]);
});

test("colours are places in OKLab", () => {
  assert.deepEqual([oklch(0, 1, 0), oklch(0, 0, 0)], ["#ffffff", "#000000"]);
  assert.deepEqual([inkOn("#ffee88"), inkOn("#203060")], ["#000000", "#ffffff"]);
  for (const seen of [oklab, seenWithoutGreen]) assert.deepEqual(seen("#ffffff").map((part) => Math.abs(Math.round(part * 100))), [100, 0, 0]);
  assert.equal(new Set([0, 0.5, 1].map(scoreColor)).size, 3);
});

test("whatever names hold, a command runs nothing else", () => {
  const options = new Map(Object.entries({ threshold: 0.6, allow: ["T cell", "B cell"] }));
  assert.equal(shellCommand("my cells.h5ad", "named.csv", null, options), "spoticell annotate 'my cells.h5ad' -o named.csv --threshold 0.6 --allow 'T cell' --allow 'B cell'");
  assert.equal(shellCommand("-x.h5ad", "x.csv", null, new Map([["groups", "-a"]])), "spoticell annotate ./-x.h5ad -o x.csv --groups=-a");
  assert.equal(shellCommand("$(id)", "two\nlines'", null, new Map()), "spoticell annotate '$(id)' -o $'two\\nlines\\''");
  assert.equal(pythonCall("cells.h5ad", "named.csv", null, new Map([["allow", ["T cell"]]])), "import spoticell\n\nspoticell.annotate('cells.h5ad', 'named.csv', allow=['T cell'])\n");
});
