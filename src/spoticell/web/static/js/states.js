// Whether cells that are called a type may be those of another, in another state.

import * as api from "./api.js";
import { shortOf } from "./named.js";
import { percent } from "./words.js";

// Of a type's cells at least this share would be called one and the same, were they not of the type.
const MOST_OF = 0.5;

// A sentence on it, empty where there is none to say. The card of the type tells the same figures.
export async function otherState(id, group) {
  const { confused: [second], looked_at: n } = await api.about(id, group.types).catch(() => ({ confused: [] }));
  if (!second || second.cells < MOST_OF * n) return "";
  return ` But ${percent(second.cells / n)} of the cells called ${shortOf(group)} would else be ${shortOf(second)}: they may be the same cells in another state.`;
}
