// Answers to requests: JSON, bytes, and refusals in a sentence.

import type { Refusal } from "./refusal.ts";

export interface Reply {
  status: number;
  headers: Record<string, string>;
  body: string | Uint8Array | Blob;
}

export const json = (value: unknown, status = 200): Reply => ({ status, headers: { "Content-Type": "application/json" }, body: JSON.stringify(value) });

type Numbers = Uint8Array | Uint16Array | Uint32Array | Float32Array;

// Numbers one after another, little-endian, as all machines with browsers have them.
export function bytes(parts: Numbers[], headers: Record<string, string> = {}): Reply {
  const body = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    body.set(new Uint8Array(part.buffer, part.byteOffset, part.byteLength), at);
    at += part.byteLength;
  }
  return { status: 200, headers: { "Content-Type": "application/octet-stream", ...headers }, body };
}

export const refused = ({ status, sentence }: Refusal): Reply => json({ error: sentence }, status);

// The name of a file to keep: plain letters only, the upload's stem first.
export function keptName(upload: string, file: string): string {
  const stem = upload.split("/").pop()!.split(".")[0].replace(/[^A-Za-z0-9_-]+/g, "_").replace(/^_+|_+$/g, "").slice(0, 60);
  return `${stem || "cells"}.${file}`;
}
