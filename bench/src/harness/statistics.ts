/** @throws RangeError of no values */
export function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted[Math.floor(sorted.length / 2)];
  if (middle === undefined) throw new RangeError('no values');
  return sorted.length % 2 === 1 ? middle : (middle + (sorted[sorted.length / 2 - 1] ?? middle)) / 2;
}

export async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1_000;
}

/** A rate for people: whole numbers from a hundred on, three digits below. */
export const shown = (rate: number): string =>
  (rate >= 100 ? Math.round(rate) : Number(rate.toPrecision(3))).toLocaleString('en');
