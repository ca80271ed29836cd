// Answers the cases of a conformance set with an engine, wherever it runs.

export async function loaded(manifest, read) {
  const { engine: script, tables } = manifest;
  const engine = await import(`data:text/javascript;base64,${base64(await read(script))}`);
  engine.setPackaged(await Promise.all(Object.entries(tables).map(async ([name, file]) => [name, await read(file)])));
  await engine.startHdf5();
  return engine;
}

function base64(bytes) {
  let text = "";
  for (let start = 0; start < bytes.length; start += 30_000) text += btoa(String.fromCharCode(...bytes.subarray(start, start + 30_000)));
  return text;
}

// `uploadOf(input)` gives the files of a case. Text, since there are numbers that JSON lacks.
export async function answered(engine, cases, uploadOf) {
  const answers = [];
  for (const { name, input, settings } of cases) {
    let answer;
    try {
      answer = await engine.answersOf(await uploadOf(input), settings);
    } catch (error) {
      answer = { crashed: String(error?.stack ?? error) };
    }
    answers.push({ name, answer });
  }
  return JSON.stringify(answers, (_, value) => (Number.isNaN(value) ? null : value));
}
