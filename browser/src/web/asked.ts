// Reads what a request says, and refuses what can't be in the words of a server.

import { Refusal } from "./refusal.ts";

export interface Request {
  method: string;
  path: string;
  query: URLSearchParams;
  body: unknown;
}

const WHOLE = /^\s*[+-]?\d+(\.0*)?\s*$/;

const refuse = (place: string, words: string): never => {
  throw new Refusal(422, `${place}: ${words}.`);
};

function bounded(place: string, value: number, least: number, most: number): number {
  if (value < least) refuse(place, `Input should be greater than or equal to ${least}`);
  if (value > most) refuse(place, `Input should be less than or equal to ${most}`);
  return value;
}

// A whole number of a query or a path.
export function whole(place: string, text: string | null, least = 0, most = 65535): number {
  if (text === null) return refuse(place, "Field required");
  if (!WHOLE.test(text)) return refuse(place, "Input should be a valid integer, unable to parse string as an integer");
  return bounded(place, Number(text), least, most);
}

export const wholeOrNull = (place: string, text: string | null, least = 0, most = 65535): number | null =>
  text === null ? null : whole(place, text, least, most);

export const wholes = (place: string, texts: string[]): number[] => {
  if (!texts.length) return refuse(place, "Field required");
  return texts.map((text, at) => whole(`${place}.${at}`, text));
};

export function text(place: string, given: string | null, longest: number, otherwise: string | null = ""): string {
  const told = given ?? otherwise;
  if (told === null) return refuse(place, "Field required");
  if ([...told].length > longest) return refuse(place, `String should have at most ${longest} characters`);
  return told;
}

export type Fields = Record<string, unknown>;

// What is read of the fields of a body, of which no others may be than those that are known.
export function fields<T>(body: unknown, known: string[], read: (told: Fields) => T): T {
  if (typeof body !== "object" || body === null || Array.isArray(body)) return refuse("The request", "Input should be a valid dictionary or object to extract fields from");
  const told = read(body as Fields), other = Object.keys(body).find((name) => !known.includes(name));
  return other === undefined ? told : refuse(other, "Extra inputs are not permitted");
}

export function textField(told: Fields, name: string, longest: number): string | null {
  const value = told[name] ?? null;
  if (value === null) return null;
  if (typeof value !== "string") return refuse(name, "Input should be a valid string");
  return text(name, value, longest);
}

export const wholeField = (told: Fields, name: string, most = 65535): number | null => wholeOf(name, told[name] ?? null, most);

function wholeOf(place: string, value: unknown, most: number): number | null {
  if (value === null) return null;
  if (typeof value !== "number" || !Number.isInteger(value)) return refuse(place, "Input should be a valid integer");
  return bounded(place, value, 0, most);
}

export function wholesField(told: Fields, name: string, most = 65535): number[] | null {
  const values = told[name] ?? null;
  if (values === null) return null;
  if (!Array.isArray(values)) return refuse(name, "Input should be a valid list");
  return values.map((value, at) => wholeOf(`${name}.${at}`, value, most) ?? refuse(`${name}.${at}`, "Input should be a valid integer"));
}

export function listField(told: Fields, name: string, most: number): unknown[] {
  const values = told[name];
  if (values === undefined) return refuse(name, "Field required");
  if (!Array.isArray(values)) return refuse(name, "Input should be a valid list");
  if (!values.length) return refuse(name, "List should have at least 1 item after validation, not 0");
  return values.length > most ? refuse(name, `List should have at most ${most} items after validation, not ${values.length}`) : values;
}

export function shareField(told: Fields, name: string): number {
  const value = told[name];
  if (value === undefined) return refuse(name, "Field required");
  if (typeof value !== "number") return refuse(name, "Input should be a valid number");
  return bounded(name, value, 0, 1);
}
