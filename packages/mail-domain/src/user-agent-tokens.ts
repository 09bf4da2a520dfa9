/** `Name/version`, as user agents list what they are made of (RFC 9110 10.1.5). */
export interface ProductToken {
  name: string;
  version: string;
  /** Stands in parentheses. */
  inComment: boolean;
}

const TOKEN =
  /(?<![\w.])((?:[A-Z][A-Za-z]{1,20} Browser)|(?:(?<!\/)\d{1,4})?[A-Za-z][A-Za-z0-9.!_@+-]{0,60}?)\/(?:v?(\d[\w.+-]{0,60})|(?:android|ios|[0-9a-f]{7,40})\b(?:\/(\d[\w.]{0,30}))?)/gi;
const MAX_TOKENS = 40;

/** @param text at most a few hundred characters */
export function readProductTokens(text: string): ProductToken[] {
  const depths = commentDepths(text);
  return [...text.matchAll(TOKEN)].slice(0, MAX_TOKENS).map(({ 1: name = '', 2: version, 3: later, index }) => ({
    name,
    version: version ?? later ?? '',
    inComment: (depths[index] ?? 0) > 0,
  }));
}

function commentDepths(text: string): number[] {
  let depth = 0;
  return [...text.split('')].map((character) => {
    if (character === '(') depth++;
    else if (character === ')') depth = Math.max(0, depth - 1);
    return depth;
  });
}
