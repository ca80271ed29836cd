// Groups of an HDF5 file written again behind its end, with other members, and the head that leads to them.
// Members that stay are named where they lie and aren't copied.

import { checksum } from "./checksum.ts";
import { ATTRIBUTE, type EncodedMessage, type WrittenLink } from "./encode.ts";
import type { Hdf5Tree } from "./hdf5.ts";
import type { Part } from "./joined.ts";
import { below, linkOf } from "./links.ts";
import type { Message } from "./objects.ts";
import { textOf } from "./tree.ts";
import { Hdf5Writer } from "./writer.ts";

const ATTRIBUTE_LIST = 21;
const ORDER = "column-order";
// Bytes of the head of a file that may be changed.
const HEAD = 96;

export class Rewriting {
  readonly writer: Hdf5Writer;
  // Bytes between the old end and what is new.
  private readonly gap: number;
  // Names that go, by the path of their group without links.
  private readonly gone = new Map<string, Set<string>>();

  // Places that go, in groups whichever.
  constructor(private readonly tree: Hdf5Tree, places: string[]) {
    const length = tree.bytes.size - tree.objects.superblock.base;
    this.writer = new Hdf5Writer(Math.ceil(length / 8) * 8);
    this.gap = this.writer.end - length;
    for (const place of places) {
      const cut = place.lastIndexOf("/"), group = tree.node(place.slice(0, Math.max(0, cut)));
      if (group !== null) this.drop(group.path, [place.slice(cut + 1)]);
    }
  }

  drop(group: string, names: string[]): void {
    const all = this.gone.get(group) ?? new Set();
    for (const name of names) all.add(name);
    this.gone.set(group, all);
  }

  dropped(group: string): string[] {
    return [...this.gone.get(group) ?? []];
  }

  // A group with members added or replaced, and an attribute in place of one of its name; made where there is none.
  group(path: string, found: Map<string, number>, other: EncodedMessage | null = null): number {
    const { tree, writer } = this, there = tree.node(path.slice(1)) !== null, gone = this.gone.get(path), links: WrittenLink[] = [];
    for (const name of there ? tree.namesIn(path) : []) {
      if (found.has(name) || gone?.has(name)) continue;
      const link = linkOf(tree, path, name)!, member = below(path, name);
      if (link.kind === "soft") links.push({ name, kind: "soft", target: link.target });
      else if (link.kind === "hard") links.push({ name, kind: "hard", address: this.isChanged(member) ? this.group(member, new Map()) : tree.address(member) });
    }
    for (const [name, address] of found) links.push({ name, kind: "hard", address });
    links.sort((a, b) => (a.name < b.name ? -1 : 1));
    const changed = other ?? this.shortened(path, there, gone), named = changed === null ? null : nameOf(changed.data);
    const attributes = there ? attributesOf(tree, path)! : writer.encoding(["dict", "0.1.0"]);
    return writer.group(links, [...attributes.filter(({ data }) => nameOf(data) !== named), ...(changed === null ? [] : [changed])]);
  }

  // The whole file with another root, as stretches of the old one and new bytes.
  parts(root: number): Part[] {
    const { superblock: old } = this.tree.objects, { bytes } = this.tree, stop = Math.min(bytes.size, old.base + HEAD);
    const start = bytes.read(0, stop).slice(), view = new DataView(start.buffer, old.base);
    setWide(view, old.end, old.base + this.writer.end);
    setWide(view, old.root, root);
    // nothing is told beforehand of the new root; later versions have a checksum instead
    if (old.version < 2) start.fill(0, old.base + old.root + 8, old.base + old.root + 32);
    else view.setUint32(old.root + 8, checksum(start.subarray(old.base, old.base + old.root + 8)), true);
    return [start, { start: stop, stop: bytes.size }, new Uint8Array(this.gap), ...this.writer.parts];
  }

  private isChanged(path: string): boolean {
    return [...this.gone.keys()].some((group) => group === path || group.startsWith(`${path}/`));
  }

  // The list of the columns of a table without those that go.
  private shortened(path: string, there: boolean, gone: Set<string> | undefined): EncodedMessage | null {
    const order = there && gone !== undefined ? this.tree.attribute(path.slice(1), ORDER) : null;
    return order === null ? null : this.writer.texts(ORDER, textOf(order).filter((name) => !gone!.has(name)));
  }
}

// Attributes of a group as they are stored; null where they lie elsewhere in the file.
export function attributesOf(tree: Hdf5Tree, path: string): EncodedMessage[] | null {
  const messages = tree.objects.messages(tree.address(path));
  const elsewhere = messages.some(({ type, data }) => type === ATTRIBUTE_LIST && !isNowhere(data, data.getUint8(1) & 1 ? 4 : 2));
  return elsewhere ? null : messages.filter(({ type }) => type === ATTRIBUTE).map(copied);
}

const isNowhere = (data: DataView, at: number): boolean => data.getUint32(at, true) === 0xffffffff && data.getUint32(at + 4, true) === 0xffffffff;

const copied = ({ type, flags, data }: Message): EncodedMessage => ({ type, flags, data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice() });

// Name of an attribute as stored.
function nameOf(data: Uint8Array): string {
  const start = data[0] === 3 ? 9 : 8, size = data[2] | (data[3] << 8);
  return new TextDecoder().decode(data.subarray(start, start + size - 1));
}

function setWide(view: DataView, at: number, value: number): void {
  view.setUint32(at, value % 4294967296, true);
  view.setUint32(at + 4, Math.floor(value / 4294967296), true);
}
