// The vocabulary: an ordered list of genes with their symbols, and every other name they go by.
// Axes: g genes of the vocabulary.

import { cached, packagedText } from "../base/packaged.ts";

function table(name: string): string[][] {
  const lines = packagedText(name).split("\n");
  if (lines[lines.length - 1] === "") lines.pop();
  return lines.map((line) => line.split("\t"));
}

const aliasRows = (): string[][] => cached("aliases.tsv", () => table("aliases.tsv"));

export class Vocabulary {
  private idPlaces?: ReadonlyMap<string, number>;
  private symbolPlaces?: ReadonlyMap<string, number>;
  private exactPlaces?: ReadonlyMap<string, number>;
  private aliasPlaces?: ReadonlyMap<string, readonly number[]>;

  constructor(
    readonly ids: readonly string[],
    readonly symbols: readonly string[],
    // "1" to "22", "X", "Y", "MT", or "" where it isn't known.
    readonly chromosomes: readonly string[],
  ) {}

  get length(): number {
    return this.ids.length;
  }

  // Position of each Ensembl id.
  get byId(): ReadonlyMap<string, number> {
    if (this.idPlaces === undefined) {
      const places = new Map<string, number>();
      this.ids.forEach((id, i) => places.set(id, i));
      this.idPlaces = places;
    }
    return this.idPlaces;
  }

  // Position of the gene that owns each symbol: of several the one with the smaller id, which older annotations know too.
  get bySymbol(): ReadonlyMap<string, number> {
    return (this.symbolPlaces ??= this.owners());
  }

  private owners(): ReadonlyMap<string, number> {
    const places = new Map<string, number>();
    this.symbols.forEach((symbol, i) => {
      const other = places.get(symbol);
      if (other === undefined || this.ids[i] < this.ids[other]) places.set(symbol, i);
    });
    return places;
  }

  // Position of each id and each symbol.
  get exact(): ReadonlyMap<string, number> {
    if (this.exactPlaces === undefined) {
      const places = new Map(this.bySymbol);
      this.byId.forEach((i, id) => places.set(id, i));
      this.exactPlaces = places;
    }
    return this.exactPlaces;
  }

  // Positions of the genes that a previous symbol, alias or retired id may mean: more than one make the name ambiguous,
  // and -1 stands for a gene that isn't in this vocabulary.
  get aliases(): ReadonlyMap<string, readonly number[]> {
    return (this.aliasPlaces ??= this.others());
  }

  private others(): ReadonlyMap<string, readonly number[]> {
    const places = new Map<string, number[]>(), { byId, exact } = this;
    const place = (id: string) => byId.get(id) ?? -1;
    for (const [name, joined] of aliasRows()) {
      // most names mean one gene
      if (!exact.has(name)) places.set(name, joined.includes(",") ? joined.split(",").map(place) : [place(joined)]);
    }
    return places;
  }
}

// The packaged vocabulary: 20,532 human genes in genomic order.
export function loadVocabulary(): Vocabulary {
  return cached("genes.tsv", () => {
    const rows = table("genes.tsv");
    return new Vocabulary(rows.map((row) => row[0]), rows.map((row) => row[1]), rows.map((row) => row[2]));
  });
}
