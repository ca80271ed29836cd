// Kinds of features: which columns of words tell genes from antibodies, guides, hashtags and peaks.
// People call the kinds by many names.  A column that is about something else, such as the biotype of a gene, must not be
// taken for one of kinds: then genes would be lost.  Axis: v features.

import { SIGN, str, strip } from "../base/text.ts";

export const GENE = "Gene Expression";
export const CONTROL = "Control";
// Sums and means, and what a program that counts reads could give to no gene.
export const TOTALS = "Total";

// Words for each kind, without capitals, spaces and signs between.
const WORDS = {
  [GENE]: "gene genes geneexpression geneexpr gex rna mrna scrna scrnaseq rnaseq cdna transcript transcripts "
    + "transcriptome transcriptomics wta wholetranscriptome expression endogenous",
  "Antibody Capture": "antibodycapture antibody antibodies antibodyderivedtag antibodyderivedtags ab abs adt adts "
    + "abseq totalseq citeseq cite protein proteins prot proteincapture proteinexpression surface surfaceprotein "
    + "surfaceproteins cellsurface cellsurfaceprotein epitope epitopes featurebarcode",
  "Antigen Capture": "antigencapture antigen antigens beam",
  "CRISPR Guide Capture": "crisprguidecapture crisprguide crisprcapture crispr guidecapture guide guides guiderna "
    + "guidernas grna grnas sgrna sgrnas",
  "Multiplexing Capture": "multiplexingcapture multiplexing multiplex hto htos hashtag hashtags hashtagoligo "
    + "hashtagoligos hashtagantibody hashing cellhashing cmo cmos cellplex lmo multiseq sampletag sampletags",
  "Peaks": "peaks peak atac atacpeak atacpeaks atacseq scatac scatacseq chromatinaccessibility accessibility "
    + "openchromatin",
  "Custom": "custom customfeature",
  [CONTROL]: "negativecontrolprobe negativecontrolcodeword unassignedcodeword blankcodeword deprecatedcodeword "
    + "genomiccontrol negativecontrol",
};

const setOf = (words: string): ReadonlySet<string> => new Set(words.split(" "));

const KIND = new Map(Object.entries(WORDS).flatMap(([kind, words]) => words.split(" ").map((word): [string, string] => [word, kind])));
// Words that are about kinds of features in whatever column they stand.
const CERTAIN = setOf(
  "geneexpression antibodycapture antigencapture crisprguidecapture multiplexingcapture chromatinaccessibility "
    + "negativecontrolprobe negativecontrolcodeword",
);
// How names of columns about kinds of features begin.
const NAMES = /^(?:featuretype|featurekind|featureclass|featuremodality|modalit|codeclass)/;
// Words for what a gene makes; who writes them means genes, whatever the column is called.
const BIOTYPES = setOf(
  "proteincoding lncrna lincrna ncrna mirna miscrna rrna mtrrna mttrna trna snrna snorna scarna pseudogene "
    + "processedpseudogene unprocessedpseudogene processedtranscript antisense tec synthetic spikein",
);

const MARK = "[ _.:|\\-]";
const ANTIBODY = "(?:adt|prot|protein|abseq|antibody|totalseq)";
const GUIDE = "(?:sgrna|grna|guide)";
// What names that are no gene's begin with, and end in.
const MARKS: [string, string, string][] = [
  ["Multiplexing Capture", `(?:hto|cmo|sample ?tag)${MARK}?\\p{Nd}|hto${MARK}`, `${MARK}(?:hto|stabo)|hashtag[^]*`],
  ["CRISPR Guide Capture", `${GUIDE}${MARK}`, `${MARK}${GUIDE}(?:${MARK}?\\p{Nd}+)?`],
  [
    "Antibody Capture",
    `(?:${ANTIBODY}|cite)${MARK}|ab[_:|]|anti${MARK}`,
    `${MARK}(?:${ANTIBODY}|antibody${MARK}?capture|pabo|total(?:seq)?${MARK}?[abcd](?:${MARK}?\\p{Nd}+)?)|_ab`,
  ],
];
const MARKED = MARKS.map(([kind, start, end]): [string, RegExp] => [kind, new RegExp(`^(?:${start})|(?:${end})\\n?$`, "iu")]);
// One pattern for all kinds: of most names nothing more is asked.
const ANY_MARKED = new RegExp(MARKED.map(([, marked]) => marked.source).join("|"), "iu");

const TOTAL_WORDS = setOf(
  "total totals sum sums mean means average averages avg __no_feature __ambiguous __too_low_aqual __not_aligned "
    + "__alignment_not_unique n_unmapped n_multimapping n_nofeature n_ambiguous",
);
const SILENT = new Set(["", "nan", "na", "none", "null"]);
const MOST_WORDS = 100;
const SIGNS = new RegExp(`${SIGN}+`, "gu");

// Find the kind of each feature, in 10x's words where it has some, in what is written about features: columns of words,
// the names of the features as "index".  null where all are genes as far as is known.
// A column counts if its name is one for kinds (feature_types, modality), if it holds words that only kinds have
// (Antibody Capture), or if every word in it is one for a kind.  Features about which it says nothing are genes.  A column
// of biotypes (protein_coding) is none of kinds.  Where no column tells, names may that are marked: adt_CD4, CD4_TotalSeqB.
export function featureKinds(columns: ReadonlyMap<string, readonly unknown[]>): string[] | null {
  const named = (column: string) => NAMES.test(bareWord(column));
  const all = [...columns.keys()];
  for (const column of [...all.filter(named), ...all.filter((one) => !named(one))]) {
    const kinds = read(columns.get(column)!, named(column));
    if (kinds !== null) return kinds;
  }
  const names = columns.get("index");
  return names === undefined ? null : markedKinds(names);
}

// The kinds that names tell by themselves (adt_CD4, CD4_TotalSeqB, HTO-1); most must be genes.
function markedKinds(names: readonly unknown[]): string[] | null {
  const kinds = names.map(str).map((name) => {
    if (TOTAL_WORDS.has(name.toLowerCase())) return TOTALS;
    return ANY_MARKED.test(name) ? MARKED.find(([, marked]) => marked.test(name))![0] : GENE;
  });
  const nOthers = kinds.filter((kind) => kind !== GENE).length;
  return nOthers > 0 && nOthers < kinds.length / 2 ? kinds : null;
}

// Kind of feature that a word stands for, null if it is about something else.
export const kindOf = (word: string): string | null => KIND.get(bareWord(word)) ?? null;

// The kinds that a column tells, null if it is about something else or names genes only.
function read(values: readonly unknown[], named: boolean): string[] | null {
  const wordOf = new Map<string, string>();
  const texts: string[] = [];
  for (const value of values) {
    const text = strip(str(value));
    texts.push(text);
    if (!wordOf.has(text)) wordOf.set(text, bareWord(text));
    if (wordOf.size > MOST_WORDS) return null;
  }
  const told = new Set([...wordOf.values()].filter((word) => !SILENT.has(word)));
  const some = (holds: (word: string) => boolean) => [...told].some(holds);
  const certain = some((word) => CERTAIN.has(word));
  let others: ReadonlySet<string> = new Set();
  if (named || certain) {
    const restAreGenes = !some((word) => KIND.get(word) === GENE) || some((word) => BIOTYPES.has(word));
    if (!restAreGenes) others = told;
  } else if (some((word) => !KIND.has(word)) || !some((word) => KIND.get(word) === GENE)) {
    return null;
  }
  const kindOfText = new Map([...wordOf].map(([text, word]) => [text, KIND.get(word) ?? (others.has(word) ? text : GENE)]));
  const kinds = texts.map((text) => kindOfText.get(text)!);
  const nGenes = kinds.filter((kind) => kind === GENE).length;
  // a column of a few words that anybody may use, such as RNA and protein, can be about what genes make
  const doubtful = !named && !certain && some((word) => word.includes("protein"));
  return nGenes === kinds.length || (doubtful && nGenes <= kinds.length / 2) ? null : kinds;
}

const bareWord = (word: string): string => word.replace(SIGNS, "").toLowerCase();
