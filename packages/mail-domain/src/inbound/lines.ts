const MAX_LINES = 2_000;

/** The lines of a notice; no notice says anything after its first two thousand. */
export function rangeOfLines(text: string): string[] {
  return text.split('\n', MAX_LINES);
}
