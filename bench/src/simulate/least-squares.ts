/** One thing that was measured: what it depends on, the first of which is usually 1, and its value, above 0. */
export interface Observation {
  terms: readonly number[];
  value: number;
}

/**
 * The coefficient of each term that makes the squares of the relative errors least; nothing costs less than nothing, so a term
 * whose coefficient would be negative is left out. Needs at least as many observations as terms.
 */
export function leastSquares(observations: readonly Observation[]): number[] {
  const terms = observations[0]?.terms.length ?? 0;
  const used = new Set(Array.from({ length: terms }, (_, term) => term));
  for (;;) {
    const columns = [...used];
    const solved = solve(columns, observations);
    const worst = columns[solved.indexOf(Math.min(...solved))];
    if (worst === undefined || Math.min(...solved) >= 0)
      return Array.from({ length: terms }, (_, term) => solved[columns.indexOf(term)] ?? 0);
    used.delete(worst);
  }
}

/** The normal equations, by Gauss and Jordan. */
function solve(columns: readonly number[], observations: readonly Observation[]): number[] {
  const weighted = observations.map(({ terms, value }) => columns.map((column) => (terms[column] ?? 0) / value));
  const rows = columns.map((_, i) => {
    const products = (of: (row: readonly number[]) => number) =>
      weighted.reduce((sum, row) => sum + (row[i] ?? 0) * of(row), 0);
    return [...columns.map((__, j) => products((row) => row[j] ?? 0)), products(() => 1)];
  });
  for (const [i, pivot] of rows.entries())
    for (const [k, row] of rows.entries()) {
      if (k === i) continue;
      const share = (row[i] ?? 0) / (pivot[i] ?? 1);
      for (const [j, value] of pivot.entries()) row[j] = (row[j] ?? 0) - share * value;
    }
  return rows.map((row, i) => (row.at(-1) ?? 0) / (row[i] ?? 1));
}
