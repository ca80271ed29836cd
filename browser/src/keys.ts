// Every key that Spoticell reads from or writes into a table of cells.
//
// Written keys start with the prefix that is asked for (KEY_ADDED if none is), so that nothing of the user's is ever
// replaced but an earlier answer of ours. {key} stands for the prefix, see `keyed`.

// Default prefix of everything written.
export const KEY_ADDED = "spoticell";

// obs: name of the answer, unknown where there is none (categorical).
export const CELL_TYPE = "{key}_cell_type";

// obs: short name of the answer, as in papers, or unknown (categorical).
export const SHORT_TYPE = "{key}_cell_type_short";

// obs: Cell Ontology term of the answer, or unknown (categorical).
export const TERM = "{key}_cell_type_ontology_term_id";

// obs: calibrated probability of the answer, in [0, 1] (float32).
export const SCORE = "{key}_score";

// obs: name of the type that the cell would be if it weren't its answer, unknown where none (categorical).
export const SECOND_TYPE = "{key}_second_cell_type";

// obs: the same as a Cell Ontology term, or unknown (categorical).
export const SECOND_TERM = "{key}_second_cell_type_ontology_term_id";

// obs: calibrated probability of that type, in [0, 1]; 0 where there is none (float32).
export const SECOND_PROBABILITY = "{key}_second_probability";

// obs, where cells were read together: name of the answer to each cell alone, or unknown (categorical).
export const SINGLE_TYPE = "{key}_single_cell_type";

// obs, where cells were read together: the same as a Cell Ontology term, or unknown (categorical).
export const SINGLE_TERM = "{key}_single_cell_type_ontology_term_id";

// obs, where cells were read together: score of that answer, in [0, 1] (float32).
export const SINGLE_SCORE = "{key}_single_score";

// All columns that are written only where cells were read together.
export const TOGETHER = [SINGLE_TYPE, SINGLE_TERM, SINGLE_SCORE] as const;

// obs: the answer rolled up to a broad type, itself if it is broader, or unknown (categorical).
export const BROAD = "{key}_level_broad";

// obs: counts of the cell in genes that the bundle knows (float32).
export const N_COUNTS = "{key}_n_counts_used";

// obs: genes known to the bundle that have a count in the cell (int32).
export const N_GENES = "{key}_n_genes_used";

// obs: why the answer isn't sure, of reasons.REASONS; missing where it is (categorical).
export const REASON = "{key}_reason";

// obs, where a caution names a programme: which the cell shows strongly; missing where none (categorical).
export const STATE = "{key}_state";

// obs, where cells were read together: the two types that the cell looks like; missing where one (categorical).
export const MIXED = "{key}_mixed";

// obs, where cells were read together: probability that it is a doublet, if one in twenty is (float32).
export const MIXED_SCORE = "{key}_mixed_score";

// Both columns about mixed cells.
export const MIXES = [MIXED, MIXED_SCORE] as const;

// obs, with an index: name of the type that the matches agree on, or unknown (categorical).
export const MATCH_TYPE = "{key}_match_cell_type";

// obs, with an index: the same as a Cell Ontology term, or unknown (categorical).
export const MATCH_TERM = "{key}_match_cell_type_ontology_term_id";

// obs, with an index: part of the matches' weight that is for this type, in [0, 1] (float32).
export const MATCH_SHARE = "{key}_match_share";

// obs, with an index: matches of this type or a subtype (int32).
export const MATCH_COUNT = "{key}_match_count";

// obs, with an index: studies that these come from (int32).
export const MATCH_STUDIES = "{key}_match_studies";

// obs, with an index: type of the nearest reference, whatever the others are (categorical).
export const MATCH_NEAREST = "{key}_match_nearest";

// obs, with an index: cosine to the nearest reference; NaN where there is none (float32).
export const MATCH_SIMILARITY = "{key}_match_similarity";

// obs, with an index: mean cosine to all matches; NaN where there is none (float32).
export const MATCH_MEAN = "{key}_match_mean_similarity";

// obs, with an index: how often a cell of a broad type that the index lacks matches as well (float32).
export const MATCH_P = "{key}_match_p";

// obs, with an index: whether the nearest reference is unusually far (bool).
export const NOVEL = "{key}_novel";

// obs, with an index: how classifier and matches agree, a word of evidence.AGREEMENTS (categorical).
export const AGREES = "{key}_agrees";

// All columns that are written with an index only.
export const MATCHED = [MATCH_TYPE, MATCH_TERM, MATCH_SHARE, MATCH_COUNT, MATCH_STUDIES, MATCH_NEAREST, MATCH_SIMILARITY, MATCH_MEAN, MATCH_P, NOVEL, AGREES] as const;

// obs, with groups: the group of the cell; missing where it is in none (categorical).
export const GROUP = "{key}_group";

// obs, with groups: name of the type of the cell's group, or unknown (categorical).
export const GROUP_CELL_TYPE = "{key}_group_cell_type";

// obs, with groups: share of its cells whose own answer is that type or a subtype; NaN in no group (float32).
export const GROUP_SHARE = "{key}_group_share";

// All columns that are written with groups only.
export const GROUPED = [GROUP, GROUP_CELL_TYPE, GROUP_SHARE] as const;

// obsm: fingerprints, float32, (n, d), unit length.
export const FINGERPRINT = "X_{key}";

// obsm: probability of every node, float32, (n, m); order in uns[key]["classes"].
export const PROBABILITIES = "{key}_probabilities";

// obsm, from the web page: where each cell is on its map, float32, (n, 2); NaN for cells without counts.
export const MAP = "X_{key}_map";

// obs, from the web page: the name that a reader gave to the cell, or else that of its type (categorical).
export const CURATED = "{key}_curated";

// obs, from the web page: whether the reader's filters leave the cell out (bool).
export const FILTERED = "{key}_filtered";

// uns: what was done: bundle, version, sha256, settings, classes, what was found in the input.
export const RUN = "{key}";

// uns: one #rrggbb for each category of a column of types, where scanpy looks for it.
export const COLORS = "{column}_colors";

// The answer where no node is sure enough; also the word for a cell without a label.
export const UNKNOWN = "unknown";

// obs: Cell Ontology term of a labelled cell, as in the CELLxGENE schema; ours only where it is asked for.
export const LABEL = "cell_type_ontology_term_id";

// uns, below the run: by which release of the schema that column was written; missing where it wasn't.
export const CELLXGENE = "cellxgene";

// obs: donor of a cell, as in the CELLxGENE schema.
export const DONOR = "donor_id";

// A key with its prefix, or the name of the column that it belongs to.
export const keyed = (key: string, prefix = KEY_ADDED): string => key.replace(/\{(?:key|column)\}/, () => prefix);
