/**
 * One line of text for people: what cannot be seen, breaks a line or turns its direction becomes `?`. File names, faults and
 * names of mailings hold what others wrote.
 */
export function printable(text: string, maxLength = 1_000): string {
  const line = text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '?');
  return line.length > maxLength ? `${line.slice(0, maxLength - 1)}…` : line;
}
