// Names of types: the short one is shown, the ontology's and its id are under the mouse and read aloud.

import { el } from "./dom.js";

// `type`: {name, short, term}; results of earlier versions have no short names.
export const shortOf = ({ short, name }) => short || name;

// Whether the short name says something else than the ontology's.
export const isShortened = (type) => shortOf(type).toLowerCase() !== type.name.toLowerCase();

export function inFull(type) {
  const { name, term } = type;
  return [name, term && term !== "unknown" && `(${term})`].filter(Boolean).join(" ");
}

export function typeName(type) {
  return el("span", { class: "type-name", title: type.term ? inFull(type) : null }, shortOf(type),
    isShortened(type) && el("span", { class: "hidden" }, `, ${type.name}`));
}

const ONTOLOGY = "https://www.ebi.ac.uk/ols4/ontologies/cl/classes?obo_id=";

// Where the Cell Ontology says what a term is; for a press, nothing is fetched from there.
export const entryOf = (term) => `${ONTOLOGY}${encodeURIComponent(term)}`;

// Words as they are compared: small, without plurals, signs, "positive" and "cell".
const plain = (text) => text.toLowerCase().replaceAll(/[^\p{L}\p{N}]+/gu, " ").split(" ")
  .map((word) => (word.length > 2 && word.endsWith("s") && !/(ss|us|is)$/.test(word) ? word.slice(0, -1) : word))
  .filter((word) => word && word !== "cell" && word !== "positive").join(" ");

// Whether a name has all that is asked, in any order: words may be begun only, but not single letters.
const says = (name, asked) => asked.every((word) => name.split(" ").some((one) => (word.length > 1 ? one.startsWith(word) : one === word)));

// Whether a text is a type's id or one of its names.
export function isCalled({ name, short, term, also = [] }, text) {
  const asked = plain(text);
  return term?.toLowerCase() === text.trim().toLowerCase() || (asked !== "" && [name, short ?? "", ...also].map(plain).includes(asked));
}

// The types that a text may mean, likeliest first: called so, called so in part, or below one that is called so.
export function findTypes(types, text) {
  const asked = plain(text);
  const words = asked.split(" ").filter(Boolean);
  const rank = (type) => {
    if (isCalled(type, text)) return 0;
    if (!words.length) return 3;
    if ([type.name, type.short ?? ""].some((name) => says(plain(name), words))) return 1;
    return (type.path ?? []).some((place) => [place.name, place.short ?? ""].map(plain).includes(asked)) ? 2 : 3;
  };
  return types.map((type) => ({ type, at: rank(type) })).filter(({ at }) => at < 3).sort((a, b) => a.at - b.at).map(({ type }) => type);
}
