// What the Cell Ontology says that its terms are, in a sentence or more; the folder has those of its model's terms.

import { cached, packagedText } from "../base/packaged.ts";

// The definition of a Cell Ontology term; an empty text where it has none.
export const definition = (term: string): string =>
  cached("definitions", () => JSON.parse(packagedText("definitions.json")) as Record<string, string>)[term] ?? "";
