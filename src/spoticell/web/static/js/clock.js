// How long a run takes: words for it, and a bar that moves with the time between two words of the server.

let ticking = null;
let shown = { id: null, share: 0 };

export function stopClock() {
  clearInterval(ticking);
  ticking = null;
}

// "about 20 seconds": rounder the longer it is, because it is a guess.
export function about(seconds) {
  if (seconds < 4) return "a few seconds";
  if (seconds < 90) return `about ${Math.round(seconds < 20 ? seconds : 5 * Math.round(seconds / 5))} seconds`;
  if (seconds < 5400) return `about ${Math.round(seconds / 60)} minutes`;
  return `about ${Math.round(seconds / 3600)} hours`;
}

// Nobody knows more than the guess: what is overdue is said to be.
export function remaining(rest, left) {
  if (rest > 1) return `${about(rest)} left`;
  return rest > -2 - left / 2 ? "almost done" : "longer than expected";
}

// Calls `show` with the share that is done and words for the rest, now and every second until the clock is stopped.
export function startClock({ id, progress, seconds, seconds_left: left }, show) {
  stopClock();
  if (shown.id !== id || progress === 0) shown = { id, share: 0 };
  if (left === null) return show(progress, "");
  const began = performance.now();
  const step = () => {
    const rest = left - (performance.now() - began) / 1000;
    // the bar never goes back, and is full only when the results are there
    shown.share = Math.max(shown.share, Math.min(1 - rest / Math.max(seconds, left), 0.98));
    show(shown.share, remaining(rest, left));
  };
  step();
  ticking = setInterval(step, 1000);
}
