// What of an HDF5 file leads out of it.
// A stranger's file may name other files: by external links, by arrays whose numbers are stored elsewhere, by arrays put
// together from others. Whoever opens a copy of it would read, on the own machine, what the stranger named.
// Looking at a link here never follows it.

import { ask, askStrictly, hdf5, room } from "./library.ts";
import type { Metadata } from "../../../node_modules/h5wasm/dist/esm/hdf5_util.js";
import type { Hdf5Tree } from "./hdf5.ts";
import { reading, wordOf } from "./tree.ts";

// Soft links that lead to a member one after the other.
export const MOST_LINKS = 16;
// Places that a sentence names, the others are counted; and how long a name may be there.
const NAMED = 3, LONGEST = 80;
// Tables that can do without a column.
const TABLES = ["obs", "var", "raw/var"];
// Kinds of groups that can do without a member; the parts of other kinds are of no use alone.
const HOLDERS = ["", "dict", "anndata", "raw"];
const [GROUP, ARRAY, REFERENCE] = [0, 1, 7];

export interface Link {
  kind: "hard" | "soft" | "external";
  // Path that a soft link leads to, file that an external one names.
  target: string;
}

// A place without links on the way, and whether a group or an array is there.
interface Target {
  path: string;
  kind: number;
}

export const below = (group: string, name: string): string => (group === "/" ? `/${name}` : `${group}/${name}`);

// The link of a group's member, unfollowed; null where there is none. The path of the group has no links in it.
export function linkOf(tree: Hdf5Tree, group: string, name: string): Link | null {
  if (group !== "/" && !tree.node(group.slice(1))?.group) return null;
  if (!tree.namesIn(group).has(name)) return null;
  const path = below(group, name), soft = ask((library) => library.get_symbolic_link(tree.file, path));
  if (soft !== null) return { kind: "soft", target: soft };
  const { filename } = ask((library) => library.get_external_link(tree.file, path));
  return filename === undefined ? { kind: "hard", target: "" } : { kind: "external", target: filename };
}

// The places in an AnnData file that lead out of it, each the smallest that can be left out; sorted. These are external
// links, soft links that end nowhere or pass through one of these, arrays stored elsewhere or put together from others,
// and arrays of references. A part of a column or of a sparse matrix stands for the whole.
export function leadingOut(tree: Hdf5Tree): string[] {
  return reading(tree.name, "its groups", () => [...places(tree)].sort());
}

// Says to the owner of a file what of it is left out.
export function leftOut(found: string[]): string {
  const names = found.slice(0, NAMED).map((place) => `'${[...place].slice(0, LONGEST).join("")}'`), nMore = found.length - NAMED;
  const listed = nMore > 0 ? `${names.join(", ")} and ${nMore} more` : names.join(", ");
  const words = found.length === 1 ? "leads out of the file, so it is" : "lead out of the file, so they are";
  return `${listed} ${words} left out of the annotated file.`;
}

function* places(tree: Hdf5Tree): Generator<string> {
  const waiting: [place: string, path: string][] = [["", "/"]], seen = new Set([tree.address("/")]);
  while (waiting.length) {
    const [place, group] = waiting.pop()!;
    for (const name of [...tree.namesIn(group)].sort()) {
      const member = place ? `${place}/${name}` : name, target = targetOf(tree, group, name);
      if (target?.kind !== GROUP) {
        if (isForeign(tree, target)) yield member;
      } else if (!holdsMembers(tree, target.path, member)) {
        if (hasForeignPart(tree, target.path)) yield member;
      } else if (isNew(tree, target.path, seen)) waiting.push([member, target.path]);
    }
  }
}

function isNew(tree: Hdf5Tree, path: string, seen: Set<number>): boolean {
  const address = tree.address(path);
  if (seen.has(address)) return false;
  seen.add(address);
  return true;
}

// What a group's member is, null where its link leads out of the file, or nowhere.
function targetOf(tree: Hdf5Tree, group: string, name: string): Target | null {
  let here: Target = { path: group, kind: GROUP }, parts = [name], nLinks = 0;
  while (parts.length) {
    const [part, ...rest] = parts, link = here.kind === GROUP ? linkOf(tree, here.path, part) : null;
    if (link?.kind === "hard") {
      const path = below(here.path, part);
      try {
        here = { path, kind: askStrictly((library) => library.get_type(tree.file, path)) };
      } catch {
        return null;
      }
      parts = rest;
      continue;
    }
    if (link?.kind !== "soft" || nLinks === MOST_LINKS) return null;
    nLinks += 1;
    if (link.target.startsWith("/")) here = { path: "/", kind: GROUP };
    parts = [...link.target.split("/").filter((step) => step !== "" && step !== "."), ...rest];
  }
  return here;
}

// Whether a node that is no group is missing, or its numbers aren't in the file.
function isForeign(tree: Hdf5Tree, target: Target | null): boolean {
  if (target?.kind !== ARRAY) return target === null;
  try {
    return isElsewhere(tree, target.path) || namesElsewhere(tree, target.path);
  } catch {
    return true;
  }
}

function isElsewhere(tree: Hdf5Tree, path: string): boolean {
  const metadata = askStrictly((library) => library.get_dataset_metadata(tree.file, path));
  return tree.objects.hasExternal(tree.address(path)) || metadata.virtual_sources !== undefined || hasReferences(metadata);
}

// Files older than AnnData 0.7 name the categories of a column by a reference.
function namesElsewhere(tree: Hdf5Tree, path: string): boolean {
  if (!askStrictly((library) => library.get_attribute_names(tree.file, path)).includes("categories")) return false;
  const { type, size, total_size: n } = ask((library) => library.get_attribute_metadata(tree.file, path, "categories"));
  if (type !== REFERENCE || n !== 1) return false;
  const pointer = room(size);
  ask((library) => library.get_attribute_data(tree.file, path, "categories", BigInt(pointer)), (status) => status < 0);
  const reference = Array.from(hdf5().HEAPU8.subarray(pointer, pointer + size));
  const name = askStrictly((library) => library.get_referenced_name(tree.file, reference, true));
  return name === null || isElsewhere(tree, name);
}

function hasReferences(metadata: Metadata): boolean {
  const inner = [metadata.array_type, metadata.vlen_type, ...(metadata.compound_type?.members ?? [])];
  return metadata.type === REFERENCE || inner.some((one) => one !== undefined && hasReferences(one));
}

// Whether a group can do without one of its members.
function holdsMembers(tree: Hdf5Tree, path: string, place: string): boolean {
  try {
    const stated = tree.attribute(path.slice(1), "encoding-type"), kind = stated === null ? "" : wordOf(stated) ?? "?";
    const isOldMatrix = tree.attribute(path.slice(1), "h5sparse_format") !== null;
    return (HOLDERS.includes(kind) && !isOldMatrix) || (kind === "dataframe" && TABLES.includes(place));
  } catch {
    return false;
  }
}

function hasForeignPart(tree: Hdf5Tree, path: string): boolean {
  const waiting = [path], seen = new Set([tree.address(path)]);
  while (waiting.length) {
    const here = waiting.pop()!;
    for (const name of tree.namesIn(here)) {
      const target = targetOf(tree, here, name);
      if (target?.kind !== GROUP) {
        if (isForeign(tree, target)) return true;
      } else if (isNew(tree, target.path, seen)) waiting.push(target.path);
    }
  }
  return false;
}
