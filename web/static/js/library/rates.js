// The rate of running jobs, from the last looks at them.

const WINDOW = 20; // seconds that a rate is averaged over
const LEAST = 2; // seconds without which nothing is said

const samples = new Map(); // id of a job -> [{ phase, time, done }]

/** Note how far a job is at `time`, and return its units per second; null while that is unknown. */
export function rate(job, time) {
  const kept = (samples.get(job.id) ?? []).filter((each) => each.phase === job.phase && each.done <= job.done && time - each.time <= WINDOW);
  kept.push({ phase: job.phase, time, done: job.done });
  samples.set(job.id, kept);
  const [first] = kept;
  const speed = (job.done - first.done) / (time - first.time);
  return time - first.time >= LEAST && speed > 0 ? speed : null;
}

/** Forget the jobs that are not among `ids`. */
export function forgetRates(ids) {
  for (const id of samples.keys()) if (!ids.includes(id)) samples.delete(id);
}
