const MAX_DIAGNOSTIC = 500;

/** For people and files: no control characters (bidirectional ones neither), white space as one space, at most 500 characters. */
export function cleanDiagnostic(text: string): string {
  const printable = text
    .slice(0, MAX_DIAGNOSTIC * 8)
    .replace(/[\p{Cf}\p{Cs}\p{Co}\p{Cn}]/gu, '')
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim();
  return printable.length <= MAX_DIAGNOSTIC ? printable : `${cut(printable, MAX_DIAGNOSTIC - 1)}…`;
}

/** Cuts between characters, not inside a surrogate pair. */
function cut(text: string, length: number): string {
  return /[\ud800-\udbff]$/.test(text.slice(0, length)) ? text.slice(0, length - 1) : text.slice(0, length);
}
