import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';

// Parts of documents that tests make: between `<!-- NAME: made by TEST -->` and `<!-- end of NAME -->`.
// After a change: UPDATE_DOCS=1 npm test -- TEST

const root = new URL('../../', import.meta.url);

/** Holds a part of a document against what a test made. @param comparable leaves out what may differ from run to run */
export function expectDocumented(
  document: string,
  name: string,
  made: string,
  comparable: (text: string) => string = (text) => text,
): void {
  const { before, part, after } = readParts(document, name);
  if (process.env.UPDATE_DOCS) writeFileSync(pathOf(document), `${before}${made}${after}`);
  else expect(comparable(part), `"${name}" in ${document}`).toBe(comparable(made));
}

/**
 * The same for a table whose last column is written by people: the first cell says which row a text belongs to. A row
 * without a text fails.
 */
export function expectDocumentedTable(
  document: string,
  name: string,
  head: readonly string[],
  rows: readonly (readonly string[])[],
): void {
  const texts = new Map(tableRows(documented(document, name)).map((row) => [row[0], row.at(-1) ?? '']));
  const told = rows.map((row) => [...row, texts.get(row[0] ?? '') ?? '']);
  expectDocumented(document, name, table(head, told));
  const silent = told.filter((row) => row.at(-1) === '').map(([key]) => key);
  expect(silent, `rows of "${name}" in ${document} without a text`).toEqual([]);
}

/** The part as it stands in the document. */
export const documented = (document: string, name: string): string => readParts(document, name).part;

export const fenced = (text: string, language = ''): string =>
  `\`\`\`${language}\n${text.endsWith('\n') ? text : `${text}\n`}\`\`\`\n`;

export const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |\n`).join('');

/** Text in a cell. */
export const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

export const code = (text: string): string => `\`${cell(text)}\``;

/** Cells of the rows below the head. */
export function tableRows(text: string): string[][] {
  const lines = text.split('\n').filter((line) => line.startsWith('|'));
  return lines.slice(2).map((line) =>
    line
      .slice(1, line.lastIndexOf('|'))
      .split(/(?<!\\)\|/)
      .map((one) => one.trim()),
  );
}

const pathOf = (document: string): string => fileURLToPath(new URL(document, root));

function readParts(document: string, name: string): { before: string; part: string; after: string } {
  const text = readFileSync(pathOf(document), 'utf8');
  const begin = new RegExp(`<!-- ${name}: made by \\S+ -->\n`).exec(text);
  const from = begin ? begin.index + begin[0].length : -1;
  const to = text.indexOf(`<!-- end of ${name} -->`, Math.max(from, 0));
  if (from < 0 || to < 0)
    throw new Error(`${document} has lost its marks <!-- ${name}: made by … --> and <!-- end of ${name} -->`);
  return { before: text.slice(0, from), part: text.slice(from, to), after: text.slice(to) };
}
