// How long a run will take: a guess from its cells and values, set right by the runs of this tab. As the server has it.

const [BEGIN, A_MAP, A_CELL, A_VALUE] = [1.5, 0.06, 4e-4, 1.5e-7]; // seconds on one core of a developer's machine
const LIKE = 8;
const past = [];

export function guess({ findings, looked }) {
  const { cells = 0, values = 0 } = findings ?? {};
  return BEGIN + A_MAP * Math.sqrt(cells) + A_CELL * cells + A_VALUE * values + looked;
}

export const noteRun = (guessed, seconds) => { past.unshift({ guessed, seconds }); };

function expected(guessed) {
  const far = past.map((run) => ({ away: Math.abs(Math.log(run.guessed / guessed)), ratio: Math.log(run.seconds / run.guessed) }));
  const like = far.sort((one, other) => one.away - other.away).slice(0, LIKE).map(({ away, ratio }) => [Math.exp(-2 * away), ratio]);
  const [sum, weights] = like.reduce(([sum, weights], [weight, ratio]) => [sum + weight * ratio, weights + weight], [0, 1]);
  return guessed * Math.exp(sum / weights);
}

// The nearer the end, the more counts how fast it went so far.
function left(total, since, progress) {
  const soFar = progress > 0 && since > 0 ? since / progress : total;
  const whole = Math.exp((1 - progress) * Math.log(total) + progress * Math.log(soFar));
  return Math.max(whole - since, (1 - progress) * since / 2, 1);
}

const rounded = (seconds) => Math.round(10 * seconds) / 10;

export function times(job) {
  if (!job.findings || !["ready", "queued", "running", "done"].includes(job.state)) return { seconds: null, seconds_left: null };
  const total = expected(guess(job));
  if (job.state !== "running") return { seconds: rounded(total), seconds_left: null };
  return { seconds: rounded(total), seconds_left: rounded(left(total, (performance.now() - job.started) / 1000, job.progress)) };
}
