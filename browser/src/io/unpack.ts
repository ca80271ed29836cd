// Packed files and archives, unpacked so that one from a stranger can't do harm.
// Only what can be cells is taken: one file, or the files of one folder around a matrix.mtx, under their bare names.
// Links, paths that lead out, too many members and too much contents are refused before or while anything is unpacked.

import { FileFormatError } from "../base/errors.ts";
import { comma } from "../base/words.ts";
import type { Bytes, Upload } from "./bytes.ts";
import { Damage, firstBytes, isGzip, opened, type Stream } from "./inflate.ts";
import { Stretch, Unpacked } from "./packed_bytes.ts";
import { isTar, tarMembers } from "./tar.ts";
import { asGzip, ZIP, type ZipMember, zipMembers, ZipStream } from "./zip.ts";

export { isTar } from "./tar.ts";
export { ZIP } from "./zip.ts";

export const MOST_MEMBERS = 1000;
// How many times its packed size a file may be; counts stay far below.
export const MOST_RATIO = 500;
// Bytes that anything may unpack to.
export const ALWAYS = 1 << 20;
// Bytes that may be held in memory.
export const MOST_HELD = 1_000_000_000;
// Text of more bytes is unpacked anew whenever it is read.
const MOST_TEXT_HELD = 1 << 28;

const MATRIX = [".mtx", ".mtx.gz"];
const HDF5 = [".h5ad", ".h5", ".hdf5", ".loom"];
const TABLES = [".csv", ".tsv", ".txt", ".tab", ".csv.gz", ".tsv.gz", ".txt.gz", ".tab.gz"];
// How names of files begin that lie beside cells in an archive.
const BESIDE = /^(?:\.|(?:readme|licen[cs]e|manifest|filelist|checksums?|md5|sha256)(?:sums?)?(?![\p{L}\p{N}_]))/iu;
const ZARR = new Set([".zgroup", ".zattrs", "zarr.json", ".zmetadata"]);

interface Member {
  name: string;
  isLink: boolean;
}

// First bytes of what a file is packed around by gzip, or its own if it isn't packed.
export const unpackedHead = (file: Bytes, size = 512): Uint8Array => reading(file, () => firstBytes(file, size).subarray(0, size));

// Unpacks the cells of a packed file or an archive.
export function unpack(file: Bytes, mostHeld = MOST_HELD): Upload {
  const room = new Room(file.name, Math.max(ALWAYS, MOST_RATIO * file.size), mostHeld);
  return reading(file, () => {
    if (isZip(file)) return uploadOf(file, unpackZip(file, room));
    if (isTar(unpackedHead(file))) return uploadOf(file, unpackTar(file, room));
    const name = file.name.replace(/(?<=.)\.(?:gz|bz2|xz)$/i, "");
    return uploadOf(file, [unpacked(name, opened(file), room)]);
  });
}

export const isZip = (file: Bytes): boolean => {
  const start = file.read(0, ZIP.length);
  return ZIP.every((byte, place) => start[place] === byte);
};

const uploadOf = (file: Bytes, files: Bytes[]): Upload => ({ name: file.name, files: new Map(files.map((one) => [one.name, one])) });

// How much a file may still unpack to.
class Room {
  private used = 0;

  constructor(private readonly name: string, private readonly most: number, private readonly held: number) {}

  // Notes that so many bytes come out of the file.
  take(nBytes: number): void {
    this.used += nBytes;
    if (this.used > this.held) {
      throw new FileFormatError(
        `${this.name} unpacks to more than ${(this.held / 1e9).toFixed(1)} GB, the most that is taken here. ` +
        "Use the command line for larger files: it has no limit.",
      );
    }
    if (this.used > this.most) {
      throw new FileFormatError(
        `${this.name} unpacks to over ${MOST_RATIO} times its size, which files of counts don't. If you trust ` +
        "it, unpack it yourself and give what is inside.",
      );
    }
  }
}

function unpackZip(file: Bytes, room: Room): Bytes[] {
  const members = zipMembers(file);
  const chosen = choose(members, file.name);
  return members.filter(({ name }) => chosen.has(name)).map((member) => {
    if (member.isLocked) throw new FileFormatError(`${file.name} is locked with a password. Zip the files without one.`);
    return memberOf(file, member, chosen.get(member.name)!, room);
  });
}

function memberOf(file: Bytes, member: ZipMember, name: string, room: Room): Bytes {
  const lower = name.toLowerCase();
  if (member.size > MOST_TEXT_HELD && !endsWith(lower, [".gz", ...HDF5])) return asGzip(file, member, name);
  return unpacked(name, new ZipStream(file, member), room);
}

// Unpacked to its end, so that what is wrong with it is found now.
function unpacked(name: string, stream: Stream, room: Room): Unpacked {
  const file = new Unpacked(name, stream, (nBytes) => room.take(nBytes));
  file.toEnd();
  return file;
}

function unpackTar(file: Bytes, room: Room): Bytes[] {
  const archive = isGzip(file) ? new Unpacked(file.name, opened(file), (nBytes) => room.take(nBytes)) : file;
  const members = [];
  for (const member of tarMembers(archive)) {
    members.push({ ...member, isLink: !member.isRegular });
    checkNumber(members.length, file.name);
  }
  const chosen = choose(members, file.name);
  return members.filter(({ name }) => chosen.has(name)).map(({ name, place, size }) => new Stretch(chosen.get(name)!, archive, place, size));
}

// The bare name of each member that is taken: one file, or those beside one matrix.
function choose(members: Member[], archive: string): Map<string, string> {
  checkNumber(members.length, archive);
  if (members.some((member) => ZARR.has(bareName(member)))) {
    throw new FileFormatError(`${archive} holds a zarr store. Unpack it first, and give the folder inside.`);
  }
  const files = members.filter((member) => !BESIDE.test(bareName(member)) && !partsOf(member).includes("__MACOSX"));
  const ending = (endings: string[]) => files.filter(({ name }) => endsWith(name.toLowerCase(), endings));
  const matrices = ending(MATRIX);
  const hdf5 = [...matrices, ...ending(HDF5)], likely = hdf5.length ? hdf5 : ending(TABLES);
  if (likely.length !== 1) {
    const names = (likely.length ? likely : files).slice(0, 5).map(bareName).join(", ") || "nothing";
    const found = likely.length ? `${likely.length} files that may hold cells` : "no file of cells";
    throw new FileFormatError(`${archive} is an archive with ${found} (${names}). Unpack it first, and give the file or folder inside.`);
  }
  const beside = matrices.length ? files.filter((file) => folderOf(file) === folderOf(likely[0])) : likely;
  for (const member of beside) check(member, archive);
  if (new Set(beside.map((member) => bareName(member).toLowerCase())).size < beside.length) {
    throw new FileFormatError(`${archive} holds two files of one name. Pack the files again.`);
  }
  return new Map(beside.map((member) => [member.name, bareName(member)]));
}

const endsWith = (name: string, endings: string[]): boolean => endings.some((ending) => name.endsWith(ending));

// Parts of a path, without those that lead nowhere.
const partsOf = ({ name }: Member): string[] => name.split("/").filter((part) => part && part !== ".");
const bareName = (member: Member): string => partsOf(member).at(-1) ?? "";
const folderOf = (member: Member): string => (member.name.startsWith("/") ? "/" : "") + partsOf(member).slice(0, -1).join("/");

function checkNumber(nMembers: number, archive: string): void {
  if (nMembers > MOST_MEMBERS) throw new FileFormatError(`${archive} holds more than ${comma(MOST_MEMBERS)} files. Pack the one with the cells alone.`);
}

function check(member: Member, archive: string): void {
  const { name } = member;
  if (name.startsWith("/") || partsOf(member).includes("..") || name.includes("\\") || name.includes(":")) {
    throw new FileFormatError(`${archive} holds a file whose path leads out of the archive. Pack the files again.`);
  }
  if (member.isLink) throw new FileFormatError(`${archive} holds a link, ${bareName(member)}. Pack the files themselves.`);
}

// Turns what is wrong with packed bytes into a FileFormatError.
function reading<T>(file: Bytes, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof Damage)) throw error;
    const kind = isGzip(file) ? "gzip" : isZip(file) ? "zip" : "tar";
    throw new FileFormatError(`${file.name} is a damaged ${kind} file (${error.message.slice(0, 200)}). Copy or download it again.`);
  }
}
