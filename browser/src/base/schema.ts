// Checks of what a JSON file says, in the words of the library that checks it in Python (pydantic).

export type Fields = Record<string, unknown>;

// Says what is wrong with a value, and where within it; null if nothing is.
export type Check = (value: unknown) => Fault | null;

export interface Fault {
  where: string[];
  message: string;
}

const fault = (message: string, ...where: string[]): Fault => ({ where, message });

export interface Bounds {
  gt?: number;
  ge?: number;
  lt?: number;
  le?: number;
}

function outside(value: number, { gt, ge, lt, le }: Bounds): Fault | null {
  if (gt !== undefined && !(value > gt)) return fault(`Input should be greater than ${gt}`);
  if (ge !== undefined && !(value >= ge)) return fault(`Input should be greater than or equal to ${ge}`);
  if (lt !== undefined && !(value < lt)) return fault(`Input should be less than ${lt}`);
  if (le !== undefined && !(value <= le)) return fault(`Input should be less than or equal to ${le}`);
  return null;
}

export const number = (bounds: Bounds = {}): Check => (value) =>
  typeof value === "number" ? outside(value, bounds) : fault("Input should be a valid number");

export const whole = (bounds: Bounds = {}): Check => (value) => {
  if (typeof value !== "number") return fault("Input should be a valid integer");
  return Number.isInteger(value) ? outside(value, bounds) : fault("Input should be a valid integer, got a number with a fractional part");
};

export const text = (most = Infinity, pattern?: string): Check => (value) => {
  if (typeof value !== "string") return fault("Input should be a valid string");
  if ([...value].length > most) return fault(`String should have at most ${most} characters`);
  return pattern === undefined || new RegExp(pattern, "u").test(value) ? null : fault(`String should match pattern '${pattern}'`);
};

export const list = (check: Check, least = 0): Check => (value) => {
  if (!Array.isArray(value)) return fault("Input should be a valid tuple");
  if (value.length < least) return fault(`Tuple should have at least ${least} item after validation, not ${value.length}`);
  return firstFault(value.map((one, i) => [String(i), check(one)]));
};

export const table = (check: Check): Check => (value) =>
  isFields(value) ? firstFault(Object.entries(value).map(([name, one]) => [name, check(one)])) : fault("Input should be a valid dictionary");

export const orNone = (check: Check): Check => (value) => (value === null ? null : check(value));

// Fields by name, all of which are needed unless they are among those that may be left out.
export const fields = (checks: Record<string, Check>, optional: string[] = [], name = "Manifest"): Check => (value) => {
  if (!isFields(value)) return fault(`Input should be a valid dictionary or instance of ${name}`);
  const known = Object.entries(checks).map(([field, check]): [string, Fault | null] => {
    if (!(field in value)) return [field, optional.includes(field) ? null : fault("Field required")];
    return [field, check(value[field])];
  });
  const strange = Object.keys(value).filter((field) => !(field in checks));
  return firstFault([...known, ...strange.map((field): [string, Fault] => [field, fault("Extra inputs are not permitted")])]);
};

export const isFields = (value: unknown): value is Fields => typeof value === "object" && value !== null && !Array.isArray(value);

function firstFault(found: [string, Fault | null][]): Fault | null {
  for (const [where, one] of found) if (one !== null) return { where: [where, ...one.where], message: one.message };
  return null;
}
