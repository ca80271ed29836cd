// The tables of the Python package and the files of a model, as the folder of the page holds them: read once, then
// asked for by name ("genes.tsv", "cell_ontology.json", "model/bundle.json"...).

const held = new Map<string, Uint8Array>();
const made = new Map<string, unknown>();

export function setPackaged(files: Iterable<[string, Uint8Array]>): void {
  held.clear();
  made.clear();
  for (const [name, bytes] of files) held.set(name, bytes);
}

export function packagedBytes(name: string): Uint8Array {
  const bytes = held.get(name);
  if (bytes === undefined) throw new Error(`the page's folder has no ${name}`);
  return bytes;
}

export const packagedText = (name: string): string => new TextDecoder().decode(packagedBytes(name));

export const packagedNames = (): string[] => [...held.keys()];

// What is made of tables is made once; it goes when other tables come.
export function cached<T>(key: string, make: () => T): T {
  if (!made.has(key)) made.set(key, make());
  return made.get(key) as T;
}
