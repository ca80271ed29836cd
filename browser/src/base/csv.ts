// Lines split into fields as Python's csv module splits them: with quotes that are doubled within quotes.

export class CsvError extends Error {
  override name = "CsvError";
}

// csv.field_size_limit()
const LONGEST_FIELD = 131072;

type State = "record" | "field" | "plain" | "quoted" | "quote";

// Rows of a text, each with the number of its last line. A row goes on where a line ends within quotes.
// Strict refuses what stands behind a closing quote, and a quote that isn't closed.
export function* csvRows(lines: Iterable<string>, delimiter: string, strict = false): Generator<{ row: string[]; line: number }> {
  let line = 0, row: string[] = [], field = "", state: State = "record";
  const save = () => {
    row.push(field);
    field = "";
  };
  for (const text of lines) {
    line += 1;
    const reader = lineReader(text, delimiter, strict, { row, field, state });
    ({ row, field, state } = reader);
    if (state === "quoted") continue;
    if (state !== "record") save();
    yield { row, line };
    [row, field, state] = [[], "", "record"];
  }
  if (state !== "quoted") return;
  if (strict) throw new CsvError("unexpected end of data");
  save();
  yield { row, line };
}

interface Reading {
  row: string[];
  field: string;
  state: State;
}

// Goes on with one line, whose end may still be there.
function lineReader(text: string, delimiter: string, strict: boolean, { row, field, state }: Reading): Reading {
  const bare = text.replace(/(?:\r\n|\n|\r)$/, ""), end = text.slice(bare.length);
  const add = (letter: string) => {
    if (field.length >= LONGEST_FIELD) throw new CsvError(`field larger than field limit (${LONGEST_FIELD})`);
    field += letter;
  };
  for (const letter of bare) {
    if (state === "quoted") {
      if (letter === '"') state = "quote";
      else add(letter);
    } else if (letter === delimiter) {
      row.push(field);
      field = "";
      state = "field";
    } else if (letter === '"' && state === "quote") {
      add(letter);
      state = "quoted";
    } else if (letter === '"' && state !== "plain") {
      state = "quoted";
    } else if (letter === "\n" || letter === "\r") {
      throw new CsvError("new-line character seen in unquoted field - do you need to open the file in universal-newline mode?");
    } else if (state === "quote" && strict) {
      throw new CsvError(`'${delimiter}' expected after '"'`);
    } else {
      add(letter);
      state = "plain";
    }
  }
  if (state === "quoted") for (const letter of end) add(letter);
  return { row, field, state };
}
