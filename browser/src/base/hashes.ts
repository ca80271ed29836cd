// Hashes that Python takes from hashlib, at once: the browser's own are asynchronous, and have no BLAKE2.

import { blake2b } from "@noble/hashes/blake2.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";

const bytesOf = (of: Uint8Array | string): Uint8Array => (typeof of === "string" ? new TextEncoder().encode(of) : of);

export const sha256Hex = (of: Uint8Array | string): string => bytesToHex(sha256(bytesOf(of)));

export const blake2bBytes = (of: Uint8Array | string, size: number): Uint8Array => blake2b(bytesOf(of), { dkLen: size });
