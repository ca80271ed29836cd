// The engine behind the page: a worker that does for one file what the server does for a job.

import { SpoticellError } from "./base/errors.ts";
import { setPackaged } from "./base/packaged.ts";
import { FileBytes, type Bytes, type Upload } from "./io/bytes.ts";
import { startHdf5 } from "./io/storage/library.ts";
import { buffersOf, type Order, type Passed } from "./web/hands.ts";
import { Lent } from "./web/lent.ts";
import { Task, checked, type Settings, type Told } from "./web/task.ts";
import type { Request } from "./web/asked.ts";

export const TOO_LARGE = "This file needs more memory than the browser gives to a page. Use the command line, which takes files of any size.";

type Message =
  | { kind: "load"; tables: [string, Uint8Array][]; version: string }
  | { kind: "check"; number: number; upload: Sent }
  | { kind: "order"; number: number; order: Partial<Settings>; findings: Told["findings"]; name: string }
  | { kind: "run"; number: number; upload: Sent; settings: Settings; cores: number }
  | ({ number: number } & Order)
  | { kind: "ask"; number: number; request: Omit<Request, "query"> & { query: string } };

// An upload as the page sends it: its files by the paths that the visitor's folders have.
interface Sent {
  name: string;
  files: [string, File][];
}

const PAUSE = 100; // milliseconds between two words on how far the work is
let task: Task | null = null;
let lent: Lent | null = null;
let version = "";
let last = { stage: "", at: 0 };

function tell(stage: string, share: number): void {
  const now = performance.now();
  if (stage === last.stage && now - last.at < PAUSE) return;
  last = { stage, at: now };
  self.postMessage({ stage, progress: Math.min(Math.max(share, 0), 1) });
}

function uploadOf({ name, files }: Sent): Upload {
  const depth = files.length > 1 ? 1 : 0;
  const within = (path: string, file: File) => (depth && path.includes("/") ? path.split("/").slice(depth).join("/") : file.name);
  return { name, files: new Map(files.map(([path, file]): [string, Bytes] => [within(path, file), new FileBytes(file)])) };
}

async function does(message: Exclude<Message, { kind: "load" }>): Promise<unknown> {
  switch (message.kind) {
    case "check":
      task = new Task(uploadOf(message.upload), tell, version, message.upload);
      return task.check();
    case "order":
      return { settings: checked(message.order, message.findings, message.name) };
    case "run":
      task ??= new Task(uploadOf(message.upload), tell, version, message.upload);
      return task.run(message.settings, message.cores);
    case "lend":
      lent = new Lent(uploadOf(message.upload as Sent), message.findings);
      return null;
    case "look":
      return lent!.look(message.start, message.stop);
    case "project":
      return lent!.project(message.landmarks);
    case "ask":
      return (task ?? new Task({ name: "", files: new Map() }, tell, version)).ask({ ...message.request, query: new URLSearchParams(message.request.query) });
  }
}

// Why something can't be done, in words for the visitor.
export function sentenceOf(error: unknown): string {
  if (error instanceof SpoticellError) return error.message;
  console.error(error);
  if (error instanceof RangeError && /memory|allocation|array length|invalid.*length/i.test(error.message)) return TOO_LARGE;
  return `Something went wrong inside Spoticell (${error instanceof Error ? error.name : typeof error}). Please report it, with a small file that shows it.`;
}

// Takes a lock for as long as this worker lives, and names it: who gets it next learns that the worker is gone, however
// it went. Pages that came unencrypted have no locks.
async function holdLock(): Promise<void> {
  if (navigator.locks === undefined) return;
  const held = `spoticell ${Math.random()}`;
  await new Promise<void>((taken) => {
    void navigator.locks.request(held, () => {
      taken();
      return new Promise(() => undefined);
    });
  });
  self.postMessage({ held });
}

let before: Promise<unknown> = Promise.resolve();

async function answer(message: Message): Promise<void> {
  if (message.kind === "load") {
    setPackaged(message.tables);
    version = message.version;
    await holdLock();
    return startHdf5();
  }
  try {
    const done = await does(message);
    self.postMessage({ number: message.number, done }, message.kind === "look" ? buffersOf(done as Passed[]) : []);
  } catch (error) {
    self.postMessage({ number: message.number, failed: sentenceOf(error), refused: error instanceof SpoticellError });
  }
}

// One thing after another. In node, where tests use what this file exports, there is no worker's scope.
if (typeof WorkerGlobalScope !== "undefined" && self instanceof WorkerGlobalScope) {
  self.onmessage = ({ data }: MessageEvent<Message>) => { before = before.then(() => answer(data)).catch(reportError); };
}

export { setPackaged, startHdf5 };
export { HeldBytes } from "./io/bytes.ts";
export { answersOf } from "./web/answers.ts";
