// Numbers and names as Python's f-strings write them, so that messages have the same words.

// f"{value:,}"
export function comma(value: number | bigint): string {
  const [whole, part] = String(value).split(".");
  return whole.replace(/\B(?=(\d{3})+$)/g, ",") + (part ? `.${part}` : "");
}

// f"{value:.{digits}f}": of two that are as near, the even one.
export function fixed(value: number, digits: number): string {
  if (!Number.isFinite(value)) return noNumber(value);
  const sign = value < 0 || Object.is(value, -0) ? "-" : "", size = Math.abs(value);
  if (size >= 1e21) return sign + BigInt(size) + (digits > 0 ? `.${"0".repeat(digits)}` : "");
  // half between two, with an even one below: so many halvings and no more make a whole number of it, exactly
  const halves = size * 2 ** (digits + 1);
  if (halves % 4 === 1) return sign + size.toFixed(digits + 1).slice(0, digits === 0 ? -2 : -1);
  return sign + size.toFixed(digits);
}

const noNumber = (value: number): string => (Number.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf");

// f"{value:,.{digits}f}"
export function commaFixed(value: number, digits: number): string {
  const [whole, part] = fixed(value, digits).split(".");
  return whole.replace(/\B(?=(\d{3})+$)/g, ",") + (part ? `.${part}` : "");
}

// f"{value:.{digits}%}"
export function percent(value: number, digits = 0): string {
  return `${fixed(value * 100, digits)}%`;
}

// f"{value:.{digits}g}"
export function general(value: number, digits = 6): string {
  if (value === 0) return Object.is(value, -0) ? "-0" : "0";
  if (!Number.isFinite(value)) return noNumber(value);
  const [mantissa, exponent] = exponential(value, digits - 1).split("e");
  const power = Number(exponent);
  const bare = (text: string) => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);
  if (power < -4 || power >= digits) return `${bare(mantissa)}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
  return bare(fixed(value, digits - 1 - power));
}

// Of two that are as near, the one with the even last digit.
function exponential(value: number, digits: number): string {
  const text = value.toExponential(digits), all = value.toExponential(100);
  const point = all.indexOf("."), kept = point + 1 + digits, end = all.indexOf("e");
  const before = digits === 0 ? all[point - 1] : all[kept - 1];
  if (!/^50*$/.test(all.slice(kept, end)) || Number(before) % 2 === 1) return text;
  return (digits === 0 ? all.slice(0, point) : all.slice(0, kept)) + all.slice(end);
}

// f"{value:,.{digits}g}"
export function commaGeneral(value: number, digits = 6): string {
  const [whole, ...rest] = general(value, digits).split(/(?=[.e])/);
  return [whole.replace(/\B(?=(\d{3})+$)/g, ","), ...rest].join("");
}

// repr() of a float
export function float(value: number): string {
  if (!Number.isFinite(value)) return noNumber(value);
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e16)) {
    const [mantissa, exponent] = value.toExponential().split("e");
    const power = Number(exponent);
    return `${mantissa}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
  }
  return Number.isInteger(value) ? fixed(value, 1) : String(value);
}

// repr() of a string
export function repr(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  let said = "";
  for (const letter of text) {
    const code = letter.codePointAt(0)!;
    if (letter === "\\" || letter === quote) said += `\\${letter}`;
    else if (letter === "\n") said += "\\n";
    else if (letter === "\r") said += "\\r";
    else if (letter === "\t") said += "\\t";
    else if (code < 0x20 || code === 0x7f) said += `\\x${code.toString(16).padStart(2, "0")}`;
    else if (/[\p{C}\p{Z}]/u.test(letter) && letter !== " ") said += code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : code < 0x10000 ? `\\u${code.toString(16).padStart(4, "0")}` : `\\U${code.toString(16).padStart(8, "0")}`;
    else said += letter;
  }
  return quote + said + quote;
}
