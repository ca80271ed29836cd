// The answer that a cell's node probabilities give, and its second best.
//
// Axes: n cells, m nodes, k the likeliest nodes of a cell, e nodes that can become answers.

import { ConfigError } from "../base/errors.ts";
import { heightOf } from "../base/matrix.ts";
import type { Matrix } from "../base/matrix.ts";
import { comma } from "../base/words.ts";
import { DOINGS, TOO_GENERAL } from "./ontology.ts";
import type { Ontology } from "./ontology.ts";

// The second best is narrowed down while a subtype keeps this part of its probability.
export const HOLDS_ON = 0.5;
// Probability that the second best has at least.
export const SOMETHING = Math.fround(0.01);

// Nodes, and a probability of each.
export type Answered = [Int32Array, Float32Array];

// The nodes that can become the answers of n cells: those of the first cell, then those of the second, ...
//
// Of each cell from the deepest to the highest, each likelier than the one before: the first that passes the threshold
// is the answer.
export class Standing {
  constructor(
    readonly nodeE: Int32Array,
    // Their probabilities.
    readonly chanceE: Float32Array,
    // How many of them are each cell's.
    readonly countN: Int32Array,
  ) {}

  // Cells that stay unknown.
  static none(nCells: number): Standing {
    return new Standing(new Int32Array(0), new Float32Array(0), new Int32Array(nCells));
  }

  // Consecutive cells together; those that lack of all cells stay unknown.
  static join(parts: Standing[], nCells: number): Standing {
    const size = parts.reduce((sum, part) => sum + part.nodeE.length, 0);
    const joined = new Standing(new Int32Array(size), new Float32Array(size), new Int32Array(nCells));
    let at = 0, cell = 0;
    for (const part of parts) {
      joined.nodeE.set(part.nodeE, at);
      joined.chanceE.set(part.chanceE, at);
      joined.countN.set(part.countN, cell);
      at += part.nodeE.length;
      cell += part.countN.length;
    }
    return joined;
  }

  // Each cell's answer, with a threshold for all or one for each; see `answers`.
  answers(threshold: number | ArrayLike<number>): Answered {
    const n = this.countN.length, answerN = new Int32Array(n).fill(-1), scoreN = new Float32Array(n);
    for (let i = 0, e = 0; i < n; i += 1) {
      const least = typeof threshold === "number" ? threshold : threshold[i], stop = e + this.countN[i];
      for (let at = e; at < stop; at += 1) {
        if (this.chanceE[at] < least) continue;
        answerN[i] = this.nodeE[at];
        scoreN[i] = this.chanceE[at];
        break;
      }
      e = stop;
    }
    return [answerN, scoreN];
  }
}

// How the probabilities of some nodes become answers.
//
// Two nodes are apart if no node lies at or below both: a cell can be only one of them. A node holds if it is likelier
// than every node apart from it, so all nodes that hold agree with each other. The deepest of them is the answer if its
// probability passes the threshold; else the deepest of those above it that does. Which threshold is asked for therefore
// only says how far down an answer goes.
//
// Terms that say nothing (TOO_GENERAL) or only what a cell does (DOINGS) are never an answer, but an answer must be
// likelier than they are too.
export class AnswerRule {
  private readonly m: number;
  // Whether a column's node is a row's or above it; whether two are apart.
  private readonly aboveMm: Uint8Array;
  private readonly apartMm: Uint8Array;
  private readonly usableM: Uint8Array;
  private readonly depthM: Int16Array;
  private readonly mostLikely: number;

  constructor(nodes: readonly string[], ontology: Ontology) {
    const m = (this.m = nodes.length), place = new Map(nodes.map((node, at) => [node, at]));
    this.aboveMm = new Uint8Array(m * m);
    this.apartMm = new Uint8Array(m * m).fill(1);
    this.usableM = Uint8Array.from(nodes, (node) => (TOO_GENERAL.has(node) || DOINGS.has(node) ? 0 : 1));
    this.depthM = Int16Array.from(nodes, (node) => ontology.depth(node));
    let most = 0;
    nodes.forEach((node, row) => {
      const above: number[] = [];
      for (const term of ontology.ancestors(node)) if (place.has(term)) above.push(place.get(term)!);
      for (const one of above) {
        this.aboveMm[row * m + one] = 1;
        for (const other of above) this.apartMm[one * m + other] = 0;
      }
      most = Math.max(most, above.length);
    });
    this.mostLikely = Math.min(m, most + 1);
  }

  // Each cell's answer, with a threshold for all or one for each; see `answers`.
  answers(probabilitiesNm: Matrix, threshold: number | ArrayLike<number>): Answered {
    return this.standing(probabilitiesNm).answers(threshold);
  }

  // The nodes that can become each cell's answer, whatever the threshold, from the probability of each node, (n, m).
  standing(probabilitiesNm: Matrix): Standing {
    const n = heightOf(probabilitiesNm), countN = new Int32Array(n);
    const likeliest = new Likeliest(this.mostLikely, this.depthM);
    const nodeE: number[] = [], chanceE: number[] = [];
    for (let i = 0; i < n; i += 1) {
      likeliest.find(probabilitiesNm.data, i * this.m, this.m);
      countN[i] = this.stand(likeliest, nodeE, chanceE);
    }
    return new Standing(Int32Array.from(nodeE), Float32Array.from(chanceE), countN);
  }

  // Adds what can become one cell's answer, and says how many nodes these are.
  private stand({ size, nodeK, chanceK }: Likeliest, nodeE: number[], chanceE: number[]): number {
    const { m, aboveMm, usableM } = this;
    const first = nodeE.length;
    let most = 0, lowest = -1;
    for (let k = 0; k < size; k += 1) {
      const node = nodeK[k];
      // all that hold agree, but only what is above those that were found can be an answer in their place
      if ((lowest >= 0 && !aboveMm[lowest * m + node]) || !usableM[node]) continue;
      if (this.isBeaten(node, chanceK[k], size, nodeK, chanceK)) continue;
      lowest = node;
      // what isn't likelier doesn't pass where one below it didn't
      if (chanceK[k] <= most) continue;
      nodeE.push(node);
      chanceE.push(chanceK[k]);
      most = chanceK[k];
    }
    return nodeE.length - first;
  }

  private isBeaten(node: number, chance: number, size: number, nodeK: Int32Array, chanceK: Float32Array): boolean {
    const row = node * this.m;
    for (let k = 0; k < size; k += 1) if (chanceK[k] >= chance && this.apartMm[row + nodeK[k]]) return true;
    return false;
  }

  // The type that each cell would be if it weren't its answer.
  //
  // It is the likeliest of the nodes apart from the answer, narrowed down to a subtype for as long as that keeps half of
  // the probability; -1 and 0 for a cell without an answer, and where nothing else has a probability of one in a hundred.
  secondBest(probabilitiesNm: Matrix, answerN: ArrayLike<number>): Answered {
    const { m, apartMm, usableM } = this;
    const n = answerN.length, secondN = new Int32Array(n).fill(-1), chanceN = new Float32Array(n);
    const apartM = new Float32Array(m);
    for (let i = 0; i < n; i += 1) {
      const row = answerN[i] * m;
      if (row < 0) continue;
      for (let j = 0; j < m; j += 1) apartM[j] = apartMm[row + j] && usableM[j] ? probabilitiesNm.data[i * m + j] : 0;
      const second = this.likeliest(apartM);
      if (!(apartM[second] >= SOMETHING)) continue;
      secondN[i] = second;
      chanceN[i] = apartM[second];
    }
    return [secondN, chanceN];
  }

  // The likeliest node, narrowed down to a subtype for as long as that keeps half of its probability.
  private likeliest(apartM: Float32Array): number {
    const { m, aboveMm, depthM } = this;
    let best = 0;
    for (let j = 1; j < m; j += 1) if (apartM[j] > apartM[best]) best = j;
    const least = HOLDS_ON * apartM[best];
    let second = best;
    for (let j = 0; j < m; j += 1) {
      if (!(apartM[j] >= least) || !aboveMm[j * m + best]) continue;
      if (depthM[j] > depthM[second] || (depthM[j] === depthM[second] && (apartM[j] > apartM[second] || (apartM[j] === apartM[second] && j < second)))) second = j;
    }
    return second;
  }

  // What one cell may be instead of its answer: types of which no two can be true, likeliest first.
  // Each is found as the second best is, apart from the answer (null for unknown) and from those before it.
  alternatives(probabilityM: ArrayLike<number>, answer: number | null, most: number): number[] {
    const { m, apartMm } = this;
    const chosen: number[] = [], freeM = this.usableM.slice(), apartM = new Float32Array(m);
    const leave = (node: number) => { for (let j = 0; j < m; j += 1) freeM[j] &= apartMm[node * m + j]; };
    if (answer !== null) leave(answer);
    while (chosen.length < most) {
      for (let j = 0; j < m; j += 1) apartM[j] = freeM[j] ? probabilityM[j] : 0;
      const best = this.likeliest(apartM);
      if (apartM[best] < SOMETHING) break;
      chosen.push(best);
      leave(best);
    }
    return chosen;
  }

  // Which nodes are above one, which are below it, and which exclude it, (m,) each.
  relations(node: number): [Uint8Array, Uint8Array, Uint8Array] {
    const { m } = this;
    const aboveM = this.aboveMm.slice(node * m, (node + 1) * m), belowM = new Uint8Array(m);
    for (let j = 0; j < m; j += 1) belowM[j] = this.aboveMm[j * m + node];
    aboveM[node] = belowM[node] = 0;
    return [aboveM, belowM, this.apartMm.slice(node * m, (node + 1) * m)];
  }
}

// The likeliest nodes of a cell, the deepest first, of these the likeliest. No node outside them can beat one of them.
class Likeliest {
  size = 0;
  readonly nodeK: Int32Array;
  readonly chanceK: Float32Array;

  constructor(private readonly most: number, private readonly depthM: Int16Array) {
    this.nodeK = new Int32Array(most);
    this.chanceK = new Float32Array(most);
  }

  find(data: Float32Array, from: number, m: number): void {
    const { most, depthM, nodeK, chanceK } = this;
    this.size = 0;
    for (let node = 0; node < m; node += 1) {
      const chance = data[from + node];
      // also where it isn't a number
      if (!(chance > 0) || (this.size === most && chance <= chanceK[most - 1])) continue;
      let at = this.size < most ? this.size : most - 1;
      for (; at > 0 && chanceK[at - 1] < chance; at -= 1) {
        nodeK[at] = nodeK[at - 1];
        chanceK[at] = chanceK[at - 1];
      }
      nodeK[at] = node;
      chanceK[at] = chance;
      if (this.size < most) this.size += 1;
    }
    // those that are as deep stay in order
    for (let k = 1; k < this.size; k += 1) {
      const node = nodeK[k], chance = chanceK[k];
      let at = k;
      for (; at > 0 && depthM[nodeK[at - 1]] < depthM[node]; at -= 1) {
        nodeK[at] = nodeK[at - 1];
        chanceK[at] = chanceK[at - 1];
      }
      nodeK[at] = node;
      chanceK[at] = chance;
    }
  }
}

const rules = new WeakMap<Ontology, Map<string, AnswerRule>>();

// The rule for some nodes, made once.
export function ruleOf(nodes: readonly string[], ontology: Ontology): AnswerRule {
  const key = nodes.join(" ");
  let known = rules.get(ontology);
  if (known === undefined) rules.set(ontology, (known = new Map()));
  let rule = known.get(key);
  if (rule === undefined) known.set(key, (rule = new AnswerRule(nodes, ontology)));
  return rule;
}

// Each cell's answer: the deepest node that is sure enough and likelier than all that exclude it.
//
// Gives for each cell the position of its answer in nodes, -1 for unknown; and the answer's probability, 0 for unknown.
// A lower threshold makes answers finer or fewer cells unknown, and changes nothing else.
export function answers(probabilitiesNm: Matrix, nodes: readonly string[], ontology: Ontology, threshold: number): Answered {
  if (probabilitiesNm.width !== nodes.length) {
    const shape = `(${heightOf(probabilitiesNm)}, ${probabilitiesNm.width})`;
    throw new ConfigError(`There are ${comma(nodes.length)} nodes but probabilities of shape ${shape}.`);
  }
  return ruleOf(nodes, ontology).answers(probabilitiesNm, threshold);
}
