// The HDF5 library, started once, and files mounted for it to read where it asks: never copied as a whole.

import start, { type H5Module, type Stream } from "../../../node_modules/h5wasm/dist/esm/hdf5_util.js";
import { packagedBytes } from "../../base/packaged.ts";
import type { Bytes } from "../bytes.ts";
import { PagedBytes } from "./pages.ts";

let library: H5Module | null = null;
// Lines that the library has written about the last thing that went wrong.
const complaints: string[] = [];
// Memory of the library that is used again for each read, and how large it is.
let scratch = 0, scratchSize = 0;
let nMounted = 0;

// To be awaited once before any HDF5 file is opened.
export async function startHdf5(code: Uint8Array = packagedBytes("hdf5.wasm")): Promise<void> {
  if (library !== null) return;
  library = await start({
    noInitialRun: true,
    printErr: (line) => void complaints.push(line),
    instantiateWasm: (imports, receive) => {
      void WebAssembly.instantiate(code as Uint8Array<ArrayBuffer>, imports).then(({ instance, module }) => receive(instance, module));
      return {};
    },
  });
}

export function hdf5(): H5Module {
  if (library === null) throw new Error("startHdf5 was not awaited");
  return library;
}

// Gives the path under which the library finds the file.
export function mount(bytes: Bytes): string {
  const { FS } = hdf5(), path = `/file${nMounted += 1}.h5`, paged = new PagedBytes(bytes);
  FS.create(path);
  const { node } = FS.lookupPath(path), now = new Date(0);
  node.node_ops = {
    getattr: () => ({
      dev: 1, ino: node.id, mode: node.mode, nlink: 1, uid: 0, gid: 0, rdev: 0, size: bytes.size,
      atime: now, mtime: now, ctime: now, blksize: 4096, blocks: Math.ceil(bytes.size / 4096),
    }),
  };
  node.stream_ops = {
    read(_stream: Stream, memory: Int8Array, at: number, length: number, position: number): number {
      const stop = Math.min(position + length, bytes.size);
      if (stop <= position) return 0;
      const found = paged.read(position, stop);
      new Uint8Array(memory.buffer, memory.byteOffset + at, found.length).set(found);
      return found.length;
    },
    // from the start, from here, from the end
    llseek: (stream: Stream, offset: number, whence: number) => offset + [0, stream.position, bytes.size][whence],
  };
  return path;
}

export function unmount(path: string): void {
  hdf5().FS.unlink(path);
}

// Memory of the library for so many bytes; what was given before may be used again for it.
export function room(nBytes: number): number {
  if (nBytes > scratchSize) {
    const module = hdf5();
    if (scratch !== 0) module._free(scratch);
    scratchSize = 0;
    scratch = module._malloc(nBytes);
    if (scratch === 0) throw new Error("Unable to allocate memory");
    scratchSize = nBytes;
  }
  return scratch;
}

// Calls the library for what is wrong as soon as it complains, though it gives something.
export function askStrictly<T>(call: (module: H5Module) => T): T {
  return ask(call, () => complaints.length > 0);
}

// Calls the library; where it fails, what it says about it becomes an error in h5py's form: "the whole (the part)".
export function ask<T>(call: (module: H5Module) => T, failed: (value: T) => boolean = () => false): T {
  complaints.length = 0;
  let value: T;
  try {
    value = call(hdf5());
  } catch (error) {
    throw new Error(complaint() ?? (error instanceof Error ? error.message : "the HDF5 library failed"));
  }
  if (failed(value)) throw new Error(complaint() ?? "the HDF5 library failed");
  return value;
}

function complaint(): string | null {
  const said = complaints.map((line) => /^\s+#\d+: .* in \w+\(\): (.*)$/.exec(line)?.[1]).filter((words) => words !== undefined);
  if (!said.length) return null;
  // h5py asks for links in an older way
  const [whole, part] = [said[0].replace(/^synchronous link/i, "link"), said[said.length - 1]];
  return `${whole[0].toUpperCase()}${whole.slice(1)} (${part})`;
}
