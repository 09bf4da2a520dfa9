/**
 * The language of the rules: lower-case text in which `*` stands for up to 80 characters of anything. Matching is a series of
 * `indexOf`, so hostile text costs no more than its length.
 */
export type Phrase = string;

const MAX_GAP = 80;

/** @param text as `foldText` leaves it */
export function matchesPhrase(text: string, phrase: Phrase): boolean {
  const [first = '', ...rest] = phrase.split('*');
  for (let at = text.indexOf(first); at >= 0; at = text.indexOf(first, at + 1)) {
    if (rest.length === 0 || follow(text, at + first.length, rest)) return true;
  }
  return false;
}

/** The pieces in order, each at most a gap after the one before; the nearest place is taken. */
function follow(text: string, start: number, pieces: readonly string[]): boolean {
  let from = start;
  for (const piece of pieces) {
    const at = text.slice(from, from + MAX_GAP + piece.length).indexOf(piece);
    if (at < 0) return false;
    from += at + piece.length;
  }
  return true;
}

/**
 * The form in which texts are compared with phrases: lower case, one space for any white space, plain apostrophes, without
 * the codes that repeat in front of each line of a multi-line reply (`550-5.1.1 `).
 */
export function foldText(text: string): string {
  return text
    .toLowerCase()
    .replace(/[\u2018\u2019`\u00b4]/g, "'")
    .replace(/\s+/g, ' ')
    .replace(/\b[245]\d\d-(?:[245]\.\d{1,3}\.\d{1,3} ?)?/g, '')
    .trim();
}
