// What the page asks of the results of a run, by the addresses that a server has for them.

import { comma, general } from "../base/words.ts";
import { across } from "./across.ts";
import { against } from "./against.ts";
import { fields, type Request, shareField, text, textField, whole, wholeOrNull, wholes } from "./asked.ts";
import { changes } from "./changes.ts";
import { MOST_CATEGORIES, MOST_COLUMNS } from "./columns.ts";
import { addName, shownNames, toldNames, undoName } from "./curated.ts";
import { whyCell, whyGroup, whyTypes } from "./explaining.ts";
import { expression, spread } from "./expression.ts";
import { keptCells, LONGEST } from "./filters.ts";
import { atlas, grid, terms } from "./info.ts";
import { acrossOrder, chosenOf, givenName, shareOrder } from "./orders.ts";
import { Refusal } from "./refusal.ts";
import { bytes, json, keptName, refused, type Reply } from "./replies.ts";
import type { Results } from "./results.ts";
import { apart, keptMembers, members } from "./selection.ts";
import { type SharedJob, sharedPage } from "./share.ts";
import { skiesOfTypes, skyOfCell, skyOfType } from "./skies.ts";
import { split } from "./split.ts";
import { showAt } from "./threshold.ts";
import { showFor } from "./tissue.ts";
import { about } from "./type_card.ts";
import { shares } from "./type_shares.ts";
import { codes, MOST_ROWS, unsure } from "./unsure.ts";

export type { Request };

// What a request is about, and the parts of its address that name something.
interface Asked {
  request: Request;
  query: URLSearchParams;
  results: Results;
  job: SharedJob;
  parts: string[];
}

type Answer = (asked: Asked) => Reply;

const LAST = MOST_COLUMNS + 10, MOST_GENES = 60;
const NO_GENE = "No gene of that name was measured.";

const place = ({ parts: [at] }: Asked): number => whole("place", at, 0, LAST);
const kept = ({ query, results }: Asked): Uint8Array => keptCells(results.shown.columns, text("filter", query.get("filter"), LONGEST), results.nCells);
const genes = ({ query }: Asked): string[] => {
  const told = query.getAll("gene");
  if (!told.length) throw new Refusal(422, "gene: Field required.");
  if (told.length > MOST_GENES) throw new Refusal(422, `gene: List should have at most ${MOST_GENES} items after validation, not ${told.length}.`);
  return told.map((gene, at) => text(`gene.${at}`, gene, 100));
};

function cellOf(results: Results, name: string): number {
  const position = results.findCell(name);
  if (position === null) throw new Refusal(404, `There is no such cell. Give a position from 0 to ${comma(results.nCells - 1)}, or a cell's name.`);
  return position;
}

function geneOf(results: Results, symbol: string): number {
  const g = results.gene(text("symbol", symbol, 100));
  if (g === null) throw new Refusal(404, NO_GENE);
  return g;
}

const cell = ({ results }: Asked, name: string): Reply => {
  const position = cellOf(results, name);
  return json({ ...results.cell(position), picture: results.pictureUrl(position) });
};

const map: Answer = ({ results: { left: { x, y }, shown } }) => bytes([Uint32Array.of(x.length), x, y, shown.scoreN, shown.typesN]);

const groups: Answer = ({ results: { left: { groupN } } }) => {
  if (groupN === null) throw new Refusal(404, "This run was asked for no groups.");
  return bytes([groupN]);
};

const gene: Answer = ({ results, parts: [symbol] }) => {
  const { levelN, most } = results.geneLevels(geneOf(results, symbol));
  return bytes([levelN], { "X-Gene-Max": general(most) });
};

const columnList: Answer = ({ results: { shown: { columns: { described, leftOut, maps } } } }) =>
  json({ columns: described, left_out: leftOut, maps: maps.map(({ name }) => ({ name })) });

const column: Answer = (asked) => {
  const found = asked.results.shown.columns.columns[place(asked)];
  if (found === undefined) throw new Refusal(404, "There is no such column.");
  return bytes([found.values]);
};

const fileMap: Answer = (asked) => {
  const found = asked.results.shown.columns.maps[place(asked)];
  if (found === undefined) throw new Refusal(404, "There is no such map.");
  return bytes([found.places]);
};

const changesOf: Answer = (asked) => {
  const { query, results } = asked, value = (name: string): number => whole(name, query.get(name), 0, MOST_CATEGORIES - 1);
  const samples = wholeOrNull("samples", query.get("samples"), 0, LAST);
  return json(changes(results, { column: place(asked), first: value("first"), second: value("second"), samples }, kept(asked)));
};

const genesApart: Answer = (asked) => {
  const keptN = kept(asked);
  return json(apart(asked.results, keptMembers(asked.results, chosenOf(asked.request.body), keptN), keptN));
};

const unsureOf: Answer = ({ query, results }) => json(unsure(results, {
  reason: query.has("reason") ? text("reason", query.get("reason"), 100) : null,
  of: wholeOrNull("type", query.get("type")),
  start: whole("start", query.get("start") ?? "0", 0, Infinity),
  most: whole("most", query.get("most") ?? "50", 1, MOST_ROWS),
}));

const curated: Answer = ({ request, results }) => {
  if (request.method === "POST") {
    const { chosen, name } = givenName(request.body);
    addName(results, members(results, chosen), name);
  }
  return json(toldNames(results));
};

const undo: Answer = ({ results }) => {
  undoName(results);
  return json(toldNames(results));
};

const threshold: Answer = ({ request, results }) =>
  json(showAt(results, fields(request.body, ["threshold"], (told) => shareField(told, "threshold"))));

const tissue: Answer = ({ request, results }) => json(showFor(results, fields(request.body, ["tissue"], (told) => {
  if (told.tissue === undefined) throw new Refusal(422, "tissue: Field required.");
  return textField(told, "tissue", 100);
})));

const typeSky: Answer = ({ results, parts: [index] }) => {
  const t = whole("index", index, 0, 65534);
  if (t >= results.nTypes) throw new Refusal(404, "There is no type of that number in the summary.");
  return bytes([skyOfType(results, t)]);
};

const share: Answer = ({ request, query, results, job }) => {
  const order = shareOrder(request.method === "POST" ? request.body : query);
  const headers = { "Content-Type": "text/html", "Content-Disposition": `attachment; filename="${keptName(job.name, "shared.html")}"` };
  return { status: 200, headers, body: sharedPage(results, job, order) };
};

const picture: Answer = ({ results, parts: [name] }) =>
  ({ status: 200, headers: { "Content-Type": "image/png" }, body: results.picture(cellOf(results, name)) });

const why: Answer = (asked) => {
  const { query, results } = asked;
  const cell = query.get("cell"), group = wholeOrNull("group", query.get("group"), 0, 65534), types = query.getAll("type");
  const term = query.has("term") ? text("term", query.get("term"), 40) : null;
  if (Number(cell !== null) + Number(types.length > 0) + Number(group !== null) !== 1) {
    throw new Refusal(422, "Say what is asked about in one way: cell, type or group.");
  }
  if (cell !== null) return json(whyCell(results, cellOf(results, cell), term));
  return json(group !== null ? whyGroup(results, group, term, kept(asked)) : whyTypes(results, wholes("type", types), term, kept(asked)));
};

const matches: Answer = () => {
  throw new Refusal(404, "This server has no reference cells for the model that named these cells.");
};

// Addresses below that of a job; a part in braces names something.
const ROUTES: [string, string, Answer][] = [
  ["GET", "summary", ({ results }) => json(results.shown.summary)],
  ["GET", "map", map],
  ["GET", "groups", groups],
  ["GET", "genes", ({ query, results }) => ((q) => json({ genes: results.findGenes(q), types: results.findTypes(q) }))(text("q", query.get("q"), 100))],
  ["GET", "genes/{symbol}", gene],
  ["GET", "genes/{symbol}/spread", (asked) => json(spread(asked.results, geneOf(asked.results, asked.parts[0]), kept(asked)))],
  ["GET", "cell", (asked) => cell(asked, text("cell", asked.query.get("cell"), 4000, null))],
  ["GET", "cells/{cell}", (asked) => cell(asked, text("cell", asked.parts[0], 300))],
  ["GET", "cells/{cell}/picture.png", picture],
  ["GET", "cells/{cell}/sky", ({ results, parts: [name] }) => bytes([skyOfCell(results, cellOf(results, name))])],
  ["GET", "skies", ({ results }) => bytes([skiesOfTypes(results)])],
  ["GET", "skies/{index}", typeSky],
  ["GET", "commands", ({ results }) => json(results.left.commands)],
  ["GET", "columns", columnList],
  ["GET", "columns/{place}", column],
  ["GET", "columns/{place}/changes", changesOf],
  ["GET", "columns/{place}/expression", (asked) => json(split(asked.results, genes(asked), place(asked), kept(asked)))],
  ["GET", "columns/{place}/labels", (asked) => json(against(asked.results, place(asked), kept(asked)))],
  ["GET", "maps/{place}", fileMap],
  ["GET", "about", (asked) => json(about(asked.results, wholes("type", asked.query.getAll("type")), kept(asked)))],
  ["POST", "apart", genesApart],
  ["POST", "matches", matches],
  ["GET", "why", why],
  ["GET", "expression", (asked) => json(expression(asked.results, genes(asked), kept(asked)))],
  ["GET", "shares", (asked) => json(shares(asked.results, wholes("type", asked.query.getAll("type")), wholeOrNull("column", asked.query.get("column"), 0, LAST), kept(asked)))],
  ["GET", "curated", curated],
  ["POST", "curated", curated],
  ["GET", "curated/cells", ({ results }) => bytes([shownNames(results)])],
  ["POST", "curated/undo", undo],
  ["GET", "unsure", unsureOf],
  ["GET", "unsure/cells", ({ results }) => bytes([Uint8Array.from(codes(results), (code) => code + 1)])],
  ["PUT", "threshold", threshold],
  ["PUT", "tissue", tissue],
  ["GET", "share", share],
  ["POST", "share", share],
];

const PATTERNS = ROUTES.map(([method, path, answer]) => ({ method, answer, pattern: new RegExp(`^/api/jobs/([\\w-]+)/${path.replace(/\{\w+\}/g, "([^/]+)").replace(/\./g, "\\.")}$`) }));

// Addresses that no run is needed for.
const GENERAL: Record<string, (query: URLSearchParams, body: unknown) => unknown> = {
  "/api/differences": (_, body) => ((order) => across(order.condition, order.samples))(acrossOrder(body)),
  "/api/terms": (query) => terms(text("q", query.get("q"), 100)),
  "/api/grid": (query) => grid(text("model", query.get("model"), 200)),
  "/api/atlas": (query) => atlas(text("model", query.get("model"), 200)),
  "/api/atlas/pictures": (query) => atlas(text("model", query.get("model"), 200)),
};

// Answers a request; `results` and `job` are null where no run is done yet.
export function answer(request: Request, results: Results | null, job: SharedJob | null = null): Reply {
  try {
    return found(request, results, job);
  } catch (error) {
    if (error instanceof Refusal) return refused(error);
    throw error;
  }
}

function found(request: Request, results: Results | null, job: SharedJob | null): Reply {
  const { method, path, query, body } = request, general = GENERAL[path];
  if (general !== undefined) return json(general(query, body));
  for (const { method: own, pattern, answer: reply } of PATTERNS) {
    const match = own === method ? pattern.exec(path) : null;
    if (match === null) continue;
    if (results === null || job === null) throw new Refusal(409, "There are no results yet: the job is not done.");
    return reply({ request, query, results, job, parts: match.slice(2).map(decodeURIComponent) });
  }
  throw new Refusal(404, "Not Found");
}
