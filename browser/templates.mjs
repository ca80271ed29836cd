// The Python package's templates of the report, compiled into functions at build time: no text becomes code in a browser.

import { readFileSync } from "node:fs";
import nunjucks from "nunjucks";

const FOLDER = `${import.meta.dirname}/../src/spoticell/report/templates`;
const NAMES = ["report", "sections/macros", "sections/head", "sections/found", "sections/types", "sections/samples", "sections/groups", "sections/map", "sections/scores", "sections/cells", "sections/reasons", "sections/repeat"];

// As the Python package does it: between the elements of a section there is no space.
const dense = (source) => source.replace(/(>|%}|#})\s*\n\s*|\s*\n\s*(?=<|{%|{#)/g, "$1").replace(/\s*\n\s*/g, " ");

const compiled = (name) => {
  const source = readFileSync(`${FOLDER}/${name}.html`, "utf8");
  return nunjucks.compiler.compile(name.includes("/") ? dense(source) : source, [], [], `${name}.html`, { autoescape: true, throwOnUndefined: true });
};

export const templates = {
  name: "templates",
  setup(build) {
    build.onResolve({ filter: /^templates:report$/ }, () => ({ path: "report", namespace: "templates" }));
    build.onLoad({ filter: /.*/, namespace: "templates" }, () => ({
      contents: `export default {${NAMES.map((name) => `${JSON.stringify(`${name}.html`)}: (function () {${compiled(name)}})()`).join(",\n")}};`,
    }));
  },
};
