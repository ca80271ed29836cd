// Which genes a list of names means: what the Python package's tests say of it, told again.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Csr } from "../src/base/csr.ts";
import { findReading, PLAIN } from "../src/biology/affixes.ts";
import { featureKinds, kindOf } from "../src/biology/features.ts";
import { isLoci, whatTheyAre } from "../src/biology/gene_column.ts";
import { familyOf } from "../src/biology/gene_families.ts";
import { alignCounts, LEFT_OUT, loadVocabulary, matchGenes, takeCounts, Vocabulary } from "../src/biology/genes.ts";
import { affixSpecies, speciesOf } from "../src/biology/species.ts";
import { parted, singular, spellingOf, wordsOf } from "../src/biology/wording.ts";
import { loadTables } from "./support.ts";

loadTables();
const GENES = loadVocabulary();
const PLACES = [...Array(420).keys()].map((i) => i + 1000).filter((place) => !GENES.symbols[place].startsWith("ENSG")).slice(0, 400);
const SYMBOLS = PLACES.map((place) => GENES.symbols[place]);
const IDS = PLACES.map((place) => GENES.ids[place]);
const capitalized = (symbol: string) => symbol[0] + symbol.slice(1).toLowerCase();

const match = (names: unknown[], minGenes = 1) => matchGenes(new Map([["index", names]]), GENES, minGenes);
const found = (names: unknown[], minGenes = 1) => Array.from(match(names, minGenes).targetV, (place) => (place >= 0 ? GENES.symbols[place] : ""));

test("the vocabulary is in genomic order, and a symbol of two genes belongs to the older id", () => {
  assert.equal(GENES.length, 20532);
  assert.deepEqual([GENES.symbols[0], GENES.chromosomes[0]], ["OR4F5", "1"]);
  assert.equal(GENES.ids[GENES.bySymbol.get("MATR3")!], "ENSG00000015479");
  assert.deepEqual(new Vocabulary(["ENSG00000156738"], ["MS4A1"], ["11"]).aliases.get("CD20"), [0]);
});

const REPAIRS: [string, string][] = [
  ["ENSG00000198851.10", "CD3E"], ["ensg00000198851", "CD3E"], [" CD3E ", "CD3E"], ["GRCh38______CD3E", "CD3E"],
  ["GRCh38-ENSG00000198851.10", "CD3E"], ["CD3E_ENSG00000198851", "CD3E"], ["ENSG00000182378.13_PAR_Y", "PLCXD1"],
  ["ENSGR0000182378", "PLCXD1"], ["HLA.A", "HLA-A"], ["HLA-A.1", ""], ["MT.CO1", "MT-CO1"], ["C1ORF159", "C1orf159"],
  ["CD20", "MS4A1"], ["SEPT7", "SEPTIN7"], ["7-Sep", "SEPTIN7"], ["X7.Sep", "SEPTIN7"], ["6-Mar", "MARCHF6"], ["1-Mar", ""],
  ["1-Dec", ""], ["cd3e", ""], ["CD3E-1", ""], ["IGHV3-33-2", ""], ["MALAT1", ""], ["HLA\u2011A", "HLA-A"], ["'CD3E", "CD3E"],
  ["\u200bTP53", "TP53"], ["\uff23\uff24\uff14", "CD4"],
];

for (const [name, symbol] of REPAIRS) {
  test(`${JSON.stringify(name)} is ${symbol || "no gene"}: damage is repaired only where the meaning is certain`, () => {
    assert.equal(found([name, "TP53", "ACTB", "GAPDH"])[0], symbol);
  });
}

test("suffixes against repeats are undone only beside the bare name", () => {
  assert.deepEqual(found(["MATR3", "MATR3-1", "MATR3.2", "TP53-1"]), ["MATR3", "MATR3", "MATR3", ""]);
  assert.deepEqual(found(["TRAC-1", "CD3E", "TP53"]), ["NCOR2", "CD3E", "TP53"]);
  assert.deepEqual(found(["TRAC", "TRAC-1", "MB", "MB-1", "MB-1-1"]), ["TRAC", "TRAC", "MB", "MB", "MB"]);
});

test("numbers say how each name was found", () => {
  const result = match(["CD3E", "CD3E", "MS4A1", "CD20", "ENSG00000010610.9", "1-Mar", "nothing", null]);
  assert.equal(
    result.describe(),
    "3 of 20,532 known genes (0%) found among 8 symbols in 'index': 1 repaired, 1 renamed, "
      + "1 ambiguous and left out, 2 repeated and summed.",
  );
  assert.deepEqual(result.oddNames[0], ["CD20", "renamed", "ENSG00000156738", "MS4A1"]);
});

test("what all names share is taken off and said", () => {
  for (const prefix of ["GRCh38______", "refdata-gex-GRCh38-2020-A_", "GEX", "sample 1|", "Homo_sapiens.", "b'"]) {
    const result = match(SYMBOLS.map((symbol) => prefix + symbol));
    assert.deepEqual(Array.from(result.targetV), PLACES, prefix);
    assert.match(result.notes[0], /^all 400 names in 'index' carry the prefix .*, which was taken off\.$/);
  }
  const both = match(SYMBOLS.map((symbol) => `GEX_${symbol}-1`));
  assert.equal(both.notes[0], "all 400 names in 'index' carry the prefix 'GEX_' and the suffix '-1', which were taken off.");
});

test("a symbol and something else is read as the symbol", () => {
  const forms = [
    (symbol: string, id: string) => `${symbol}|${id}`, (symbol: string, id: string) => `${id}.12-${symbol}`,
    (symbol: string) => `sp|P1234|${symbol}_HUMAN`, (symbol: string) => `gene_name "${symbol}"; gene_biotype "x"`,
    (symbol: string) => `chr1:4-99999:${symbol}:+`, (symbol: string, id: string) => `('${symbol}', '${id}')`,
  ];
  for (const form of forms) assert.deepEqual(found(SYMBOLS.map((symbol, i) => form(symbol, IDS[i]))), SYMBOLS, form.toString());
  assert.equal(findReading(["GEX_CD3E", "GEX_CD8A"], GENES), PLAIN);
});

test("other species are refused by name, and so are antibodies and mixtures", () => {
  const refused: [string[], RegExp][] = [
    [SYMBOLS.map(capitalized), /look like mouse/],
    [SYMBOLS.map((symbol) => `mm10_${symbol}`), /look like mouse/],
    [["gata1a", "sox9b", "hoxb1b", "si:ch211-1", "zgc:55", "tp53", "actb1", "il2rga"], /look like zebrafish/],
    [SYMBOLS.map((_, i) => `ENSXETG${String(i).padStart(11, "0")}`), /look like another species/],
    [SYMBOLS.map((symbol, i) => (i < 200 ? `hs_${symbol}` : `mm_${capitalized(symbol)}`)), /two species, human and mouse/],
    [SYMBOLS.map((symbol) => `ADT_${symbol}`), /Only 0 of 20,532 known human genes.*They look like antibodies/],
    [SYMBOLS.map((_, i) => `chr1:${i}00-${i}99`), /rows are peaks/],
    [[], /no gene names/],
  ];
  for (const [names, message] of refused) assert.throws(() => match(names, 50), { name: "GeneMatchError", message });
  assert.equal(affixSpecies("GRCh38_and_mm10_"), "human");
  assert.equal(speciesOf(["Cd3e", "Cd8a", "Ms4a1"], ["Cd3e", "Cd8a", "Ms4a1"], [], GENES, 0), "mouse");
});

test("where columns differ the index goes before others", () => {
  const turned = [...SYMBOLS.slice(1), SYMBOLS[0]];
  const result = matchGenes(new Map([["index", SYMBOLS], ["symbol", turned]]), GENES);
  assert.equal(result.column, "index");
  assert.equal(
    result.notes[0],
    "the columns 'index' and 'symbol' name different genes in 400 of the 400 rows where both name one; 'index' is used.",
  );
  assert.equal(isLoci(["chr1:100-200", "chr2-5-90", "1_100_200"]), true);
  assert.match(whatTheyAre(["ENST00000361381.2", "ENST00000361453.3"]), /^They look like transcripts/);
});

test("kinds of features are told by the many names that people use", () => {
  const kinds = (column: string, ...words: string[]) => featureKinds(new Map([["index", words.map((_, i) => `gene ${i}`)], [column, words]]));
  assert.deepEqual(kinds("modality", "rna", "ADT"), ["Gene Expression", "Antibody Capture"]);
  assert.deepEqual(kinds("feature_types", "Gene Expression", "new kind"), ["Gene Expression", "new kind"]);
  assert.equal(kinds("feature_type", "protein_coding", "lncRNA"), null);
  assert.deepEqual(featureKinds(new Map([["index", ["CD3E", "CD4", "CD8A", "CD4_TotalSeqB"]]]))?.[3], "Antibody Capture");
  assert.deepEqual(["ADT_", "gex", "GRCh38_"].map(kindOf), ["Antibody Capture", "Gene Expression", null]);
});

test("counts are put into the vocabulary's order, and repeats are added up", () => {
  const result = match(["MS4A1", "nobody's", "CD3E", "MS4A1"]);
  const counts = Csr.dense([[1, 2, 3, 4], [0, 4, 0, 0], [0, 0, 5, 7]], 4);
  const aligned = alignCounts(counts, result), taken = takeCounts(counts, result);
  const [cd3e, ms4a1] = ["CD3E", "MS4A1"].map((symbol) => GENES.bySymbol.get(symbol)!).sort((a, b) => a - b);
  assert.deepEqual([Array.from(aligned.indptr), Array.from(aligned.indices)], [[0, 2, 2, 4], [cd3e, ms4a1, cd3e, ms4a1]]);
  assert.deepEqual(taken.toDense(), aligned.toDense());
  assert.equal(aligned.data.reduce((sum, value) => sum + value, 0), 20);
  const without = result.without([0, 0, 1, 0]);
  assert.deepEqual([without.nFound, without.nRepeated, without.targetV[2]], [1, 1, LEFT_OUT]);
  assert.deepEqual(Array.from(without.kept(counts).indices), [0, 1, 3, 1, 3]);
  assert.throws(() => alignCounts(Csr.empty(3), result), /The matrix has 3 genes but 4 gene names were matched/);
});

test("families and wordings", () => {
  assert.deepEqual(["RPL13", "HLA-DRA", "TRAC", "HBB", "CD3E"].map(familyOf), ["ribosomal", "HLA", "T-cell receptor", "haemoglobin", ""]);
  assert.deepEqual(wordsOf("CD8+ memory T-cells"), ["cd8", "memory", "t"]);
  assert.deepEqual(wordsOf("CD14dim Monocytes"), ["cd14low", "monocyte"]);
  assert.equal(spellingOf("CD14-positive_Monocytes"), "cd14 positive monocyte");
  assert.deepEqual([parted("NaiveBCell"), singular("biopsies"), singular("plus")], ["Naive B Cell", "biopsy", "plus"]);
});
