// Room on disk for what memory shouldn’t hold: a file of the browser’s own, which no other page can see.
// One that a closed tab left is removed when the page is next opened, and before the next run.

const FOLDER = "spoticell-passing";

export interface Spill {
  // Whether there was room for it.
  write(bytes: Uint8Array, at: number): boolean;
  read(bytes: Uint8Array, at: number): void;
  close(): void;
}

// A new file; null where the browser has no such files.
export async function openSpill(): Promise<Spill | null> {
  try {
    const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle(FOLDER, { create: true });
    await removeAll(folder);
    const name = crypto.randomUUID(), handle = await (await folder.getFileHandle(name, { create: true })).createSyncAccessHandle();
    return {
      write: (bytes, at) => {
        try {
          return handle.write(bytes, { at }) === bytes.length;
        } catch {
          // the disk is full, or what the browser gives to a page
          return false;
        }
      },
      read: (bytes, at) => { handle.read(bytes, { at }); },
      close: () => {
        handle.close();
        void folder.removeEntry(name).catch(() => undefined);
      },
    };
  } catch {
    return null;
  }
}

// One that another tab still uses can't be removed, and stays.
async function removeAll(folder: FileSystemDirectoryHandle): Promise<void> {
  const names: string[] = [];
  // TypeScript knows the folders of workers without what lists them
  const { keys } = folder as unknown as { keys(): AsyncIterable<string> };
  for await (const name of keys.call(folder)) names.push(name);
  await Promise.all(names.map((name) => folder.removeEntry(name).catch(() => undefined)));
}
