// Tables about cells or genes in an h5ad file, any version since 0.5.
// A table is a group of columns, or in old files one compound array. Columns of a kind that isn't known here (nested
// ones, say) are skipped. Nothing but the table is touched.

import { FileFormatError } from "../../base/errors.ts";
import { type Column, Frame } from "../../base/frame.ts";
import { comma } from "../../base/words.ts";
import { checkList, checkTable } from "../storage/room.ts";
import {
  type Attribute, damaged, isNested, nBytesOf, reading, type StoredArray, type StoredNode, text, textOf, type Tree, wordOf,
} from "../storage/tree.ts";
import { type Dtype, isNumber, type Values } from "../storage/values.ts";

const OLD_CATEGORIES = "__categories";

// A column, and whether it holds text: alone or as its categories.
type StoredColumn = Column & { words: boolean };

// A table in a file: its length, its index, its columns one by one.
export class StoredFrame {
  readonly indexName: string | null;
  readonly columns: string[];
  readonly length: number;
  private readonly compound: StoredArray | null;

  constructor(private readonly tree: Tree, readonly path: string, private readonly limit: number) {
    const node = tree.node(path);
    if (node === null) throw new FileFormatError(`${tree.name} has no table '${path}', so this is not an AnnData file.`);
    this.compound = node.group ? null : node;
    [this.indexName, this.columns] = this.layout();
    this.length = this.height();
    if (this.length > limit) throw new FileFormatError(`${tree.name}: '${path}' declares ${comma(this.length)} rows, more than ${comma(limit)}.`);
    checkTable(tree.name, path, this.length, this.columns.length + 1, tree.room);
  }

  // Names of the rows; counted from 0 where the file has none.
  index(): string[] {
    if (this.indexName === null) return Array.from({ length: this.length }, (_, row) => String(row));
    const values = this.stored(this.indexName);
    if (values === null) throw new FileFormatError(`${this.tree.name}: the names in '${this.path}' can't be read as text.`);
    return "dtype" in values ? textOf(values) : text(wordsOfColumn(values));
  }

  // Values of a column; null for kinds not known here.
  column(name: string): Column | null {
    const values = this.stored(name);
    return values === null ? null : "dtype" in values ? plain(values) : columnOf(values);
  }

  // Values of a column of text, or null if it holds something else.
  strings(name: string): string[] | null {
    const values = this.stored(name);
    if (values === null) return null;
    if ("dtype" in values) return isNumber(values.dtype) ? null : textOf(values);
    return values.words ? text(wordsOfColumn(values)) : null;
  }

  // The whole table with its index as strings.
  table(): Frame {
    const columns = new Map<string, Column>();
    for (const name of this.columns) {
      const column = this.column(name);
      if (column !== null) columns.set(name, column);
    }
    return new Frame(this.index(), columns);
  }

  // Name of the index and of the columns.
  private layout(): [string | null, string[]] {
    const members = this.compound === null ? this.tree.names(this.path) : [...this.compound.fields];
    const stated = wordOf(this.tree.attribute(this.path, "_index"));
    const index = [stated, "_index", "index"].find((name) => name !== null && members.includes(name)) ?? null;
    const order = this.tree.attribute(this.path, "column-order");
    const columns = order === null ? members : textOf(order).filter((name) => members.includes(name));
    return [index, columns.filter((name) => name !== index && name !== OLD_CATEGORIES)];
  }

  private height(): number {
    if (this.compound !== null) {
      if (this.compound.shape.length !== 1) throw damaged(this.tree.name, `'${this.path}'`, "it is no list of rows");
      return this.compound.shape[0];
    }
    for (const name of [this.indexName, ...this.columns]) {
      let member: StoredNode | null = name === null ? null : this.tree.node(`${this.path}/${name}`);
      if (member?.group) member = this.tree.array(`${this.path}/${name}/codes`) ?? this.tree.array(`${this.path}/${name}/values`);
      if (member !== null && !member.group && member.shape.length === 1) return member.shape[0];
    }
    return 0;
  }

  // What is stored as a column: an array, or what several arrays make together.
  private stored(name: string): Values | StoredColumn | null {
    const path = `${this.path}/${name}`;
    if (this.compound === null) {
      const values = this.member(path, name);
      return values !== null && "dtype" in values ? usable(values) : values;
    }
    const { compound } = this;
    checkList(this.tree.name, path, nBytesOf(compound), this.tree.room);
    return usable(reading(this.tree.name, `'${path}'`, () => this.tree.field(compound, name)));
  }

  private member(path: string, name: string): Values | StoredColumn | null {
    const node = this.tree.node(path);
    if (node === null) return null;
    if (node.group) return this.composite(path);
    this.checkStored(node, path, this.length);
    const values = node.shape.length === 1 ? this.tree.read(node, path) : null;
    const old = `${this.path}/${OLD_CATEGORIES}/${name}`, categories = this.tree.array(old);
    if (categories === null || values === null) return values;
    return this.categorical(path, values, this.tree.read(categories, old), this.isOrdered(old));
  }

  private composite(path: string): StoredColumn | null {
    const part = new Map<string, StoredArray>();
    for (const name of ["codes", "categories", "values", "mask"]) {
      const array = this.tree.array(`${path}/${name}`);
      if (array !== null) part.set(name, array);
    }
    const isCategorical = part.has("codes") && part.has("categories");
    if (!isCategorical && !(part.has("values") && part.has("mask"))) return null;
    if ([...part.values()].some((array) => array.shape.length !== 1)) throw damaged(this.tree.name, `'${path}'`, "its parts are no lists");
    for (const [name, array] of part) {
      this.checkStored(array, path, name === "categories" ? Math.min(array.shape[0], this.limit) : this.length);
    }
    const read = new Map([...part].map(([name, array]) => [name, this.tree.read(array, path)]));
    if (isCategorical) return this.categorical(path, read.get("codes")!, read.get("categories")!, this.isOrdered(path));
    return this.nullable(path, read.get("values")!, read.get("mask")!);
  }

  private isOrdered(path: string): boolean {
    const stated: Attribute | null = this.tree.attribute(path, "ordered");
    return stated !== null && "biu".includes(stated.dtype.kind) && stated.values.length > 0 && Boolean(stated.values[0]);
  }

  private categorical(path: string, codes: Values, categories: Values, ordered: boolean): StoredColumn {
    const wrong = (why: string) => damaged(this.tree.name, `'${path}'`, why);
    if (!"iu".includes(codes.dtype.kind) || usable(categories) === null) throw wrong("categories of an unknown kind");
    const numbers = Int32Array.from(codes.values as ArrayLike<number>), words = textOf(categories);
    for (let i = 0; i < numbers.length; i += 1) if (numbers[i] < -1 || numbers[i] >= words.length) throw wrong("a code without a category");
    if (isNumber(categories.dtype) && (categories.values as Float64Array).some(Number.isNaN)) throw wrong("Categorical categories cannot be null");
    if (new Set(words).size < words.length) throw wrong("Categorical categories must be unique");
    return { kind: "category", codes: numbers, categories: words, ordered, words: !isNumber(categories.dtype) };
  }

  private nullable(path: string, { dtype, values }: Values, mask: Values): StoredColumn {
    if (!"biu".includes(mask.dtype.kind)) throw damaged(this.tree.name, `'${path}'`, "a mask of an unknown kind");
    const missing = mask.values as ArrayLike<number>;
    if (dtype.kind === "b") {
      return { kind: "flag", values: Uint8Array.from(values as ArrayLike<number>, (value, row) => (missing[row] ? 2 : value)), words: false };
    }
    if (dtype.kind === "i" || dtype.kind === "u") {
      const numbers = Float64Array.from(values as ArrayLike<number>, (value, row) => (missing[row] ? NaN : value));
      return { kind: "number", values: numbers, whole: true, words: false };
    }
    return { kind: "text", values: textOf({ dtype, values }).map((word, row) => (missing[row] ? "" : word)), words: true };
  }

  // Refuses an array of another length, or with parts missing, before it is read.
  private checkStored(array: StoredArray, path: string, length: number): void {
    if (array.shape.length === 1 && array.shape[0] !== length) {
      throw new FileFormatError(
        `${this.tree.name}: column '${path.slice(path.lastIndexOf("/") + 1)}' of '${this.path}' has ${array.shape[0]} values ` +
        `for ${length} rows. The file is damaged: write it again.`,
      );
    }
    if ("OS".includes(array.dtype.kind) && this.tree.nMissingChunks(array)) {
      throw new FileFormatError(`${this.tree.name}: a part of '${path}' is missing. Copy or write the store again.`);
    }
  }
}

// What a table can hold; null for the rest.
function usable(values: Values): Values | null {
  return isNested(values) || !(isNumber(values.dtype) || "OS".includes(values.dtype.kind)) ? null : values;
}

function plain(values: Values): Column {
  const { dtype } = values;
  if (!isNumber(dtype)) return { kind: "text", values: textOf(values) };
  const numbers = values.values as ArrayLike<number>;
  if (dtype.kind === "b") return { kind: "flag", values: Uint8Array.from(numbers, (value) => Number(value !== 0)) };
  return { kind: "number", values: Float64Array.from(numbers), whole: isWhole(dtype) };
}

const isWhole = ({ kind }: Dtype): boolean => kind === "i" || kind === "u";

function columnOf(stored: StoredColumn): Column {
  const { words: _, ...column } = stored;
  return column;
}

function wordsOfColumn(column: Column): (string | null)[] {
  return column.kind === "category" ? Array.from(column.codes, (code) => (code < 0 ? null : column.categories[code]))
    : column.kind === "text" ? column.values
      : column.kind === "flag" ? Array.from(column.values, (value) => (value === 2 ? "<NA>" : value ? "True" : "False"))
        : Array.from(column.values, (value) => (Number.isNaN(value) ? "<NA>" : String(value)));
}
