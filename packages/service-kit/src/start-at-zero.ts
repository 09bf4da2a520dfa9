import type { Counter } from 'prom-client';

/**
 * Makes the series of a counter before there is anything to count: `rate()` then sees the first event, and a dashboard says 0
 * where it would say nothing.
 */
export function startAtZero<Label extends string>(
  counter: Counter<Label>,
  label: Label,
  values: readonly string[],
): Counter<Label> {
  for (const value of values) counter.inc({ [label]: value } as Record<Label, string>, 0);
  return counter;
}
