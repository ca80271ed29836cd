// The folder's files: what manifest.json says of them, and the engine and its tables, unpacked and compared with it.

export const OFFLINE = "The page’s folder doesn’t answer, and this browser has no copy of it yet. Try again when you are connected.";

const FORMAT = 1;
let listed = null;
let loading = null;

// What is asked for again after a failure is fetched again.
export const manifest = () => (listed ??= readManifest().catch((error) => { listed = null; throw error; }));

// {script, tables, version}: the address of the engine, its tables as [name, bytes], and Spoticell's version.
export const engine = () => (loading ??= readEngine().catch((error) => { loading = null; throw error; }));

export async function demoFile() {
  const { demo } = await manifest();
  return new File([await read(demo)], demo.slice(demo.lastIndexOf("/") + 1));
}

async function readManifest() {
  const reply = await answered("manifest.json", "no-cache");
  if (!reply.ok) throw new Error("The page’s folder has no manifest.json. It has to be copied whole.");
  const told = await reply.json();
  if (told.format !== FORMAT) {
    throw new Error(`The folder of this page has the format ${told.format}, and the page that your browser holds reads ${FORMAT}. Load the page anew; if that doesn’t help, its folder was not replaced as a whole.`);
  }
  return told;
}

async function readEngine() {
  const { engine: script, tables, version } = await manifest();
  const [code, ...contents] = await Promise.all([script, ...Object.values(tables)].map(read));
  return {
    // a worker made of a blob keeps to the page's own policy
    script: URL.createObjectURL(new Blob([code], { type: "text/javascript" })),
    tables: Object.keys(tables).map((name, at) => [name, contents[at]]),
    version,
  };
}

// A copy that the browser has kept of an older version is fetched once more.
async function read(name) {
  const { files } = await manifest();
  for (const cache of ["default", "reload"]) {
    const reply = await answered(name, cache);
    if (!reply.ok) continue;
    const contents = await unpacked(new Uint8Array(await reply.arrayBuffer()));
    if (await isWhole(contents, files[name].unpacked)) return contents;
  }
  throw new Error(`${name} of the page’s folder is missing, or is not the file that manifest.json names. The folder has to be copied whole.`);
}

async function answered(name, cache) {
  try {
    return await fetch(name, { cache });
  } catch {
    throw new Error(OFFLINE);
  }
}

// Some servers unpack such files on their own.
async function unpacked(bytes) {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// Only pages by https, or of this computer, can work out hashes.
async function isWhole(bytes, sha256) {
  if (!globalThis.crypto?.subtle) return true;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("") === sha256;
}
