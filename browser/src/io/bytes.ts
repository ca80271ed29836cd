// A file as bytes that are read where they are asked for, at once, never all of it.

export interface Bytes {
  // What the visitor calls it, without folders.
  readonly name: string;
  readonly size: number;
  read(start: number, stop: number): Uint8Array;
  // A stretch as something to be saved, which isn't read for it.
  part?(start: number, stop: number): Blob;
}

// Bytes that are there already: what was unpacked, and tests.
export class HeldBytes implements Bytes {
  readonly size: number;

  constructor(readonly name: string, private readonly held: Uint8Array) {
    this.size = held.length;
  }

  read(start: number, stop: number): Uint8Array {
    return this.held.subarray(start, Math.min(stop, this.size));
  }
}

// A file that the visitor chose; only workers can read it at once.
export class FileBytes implements Bytes {
  readonly name: string;
  readonly size: number;

  constructor(private readonly file: File) {
    this.name = file.name;
    this.size = file.size;
  }

  read(start: number, stop: number): Uint8Array {
    return new Uint8Array(new FileReaderSync().readAsArrayBuffer(this.file.slice(start, Math.min(stop, this.size))));
  }

  part(start: number, stop: number): Blob {
    return this.file.slice(start, stop);
  }
}

// What is to be read: one file, or a folder's files by their paths within it.
export interface Upload {
  readonly name: string;
  readonly files: ReadonlyMap<string, Bytes>;
}
