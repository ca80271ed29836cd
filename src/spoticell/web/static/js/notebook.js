// A Jupyter notebook that does the run again and looks at what came of it.

const lines = (text) => text.trim().split("\n").map((line, at, all) => (at < all.length - 1 ? `${line}\n` : line));
const words = (text) => ({ cell_type: "markdown", metadata: {}, source: lines(text) });
const code = (text) => ({ cell_type: "code", metadata: {}, execution_count: null, outputs: [], source: lines(text) });

// `name`: of the file of cells; `python`: the code that repeats the run.
export function notebook(name, python) {
  const cells = [
    words(`# ${name}, named by Spoticell\n\nPut the file beside this notebook. The run writes its results there too; add \`overwrite=True\` to do it again.`),
    code(python.replace(/^spoticell\.annotate\(/m, "result = spoticell.annotate(")),
    code("result.summary()"),
    code("result.obs.head()"),
    code("spoticell.pl.fingerprint_map(result);"),
    code("spoticell.pl.composition(result);"),
  ];
  const metadata = { kernelspec: { display_name: "Python 3", language: "python", name: "python3" }, language_info: { name: "python" } };
  return JSON.stringify({ nbformat: 4, nbformat_minor: 4, metadata, cells }, null, 1);
}
