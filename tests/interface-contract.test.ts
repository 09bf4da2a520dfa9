import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { documented, tableRows } from './support/documented.js';

const root = new URL('../', import.meta.url);

/** The contract's table: section, sentence, and the tests that prove it as `file: name`, one line each. */
const rows = tableRows(documented('docs/INTERFACE.md', 'contract'));

it('every sentence of the contract names a test', () => {
  expect(rows.length).toBeGreaterThan(0);
  expect(rows.filter(([, , proof = '']) => testsOf(proof).length === 0)).toEqual([]);
});

it('every test that it names is there', () => {
  const missing = rows
    .flatMap(([, , proof = '']) => testsOf(proof))
    .filter(({ file, name }) => !existsSync(new URL(file, root)) || !namesIn(file).has(name));
  expect(missing).toEqual([]);
});

/** `` `tests/restart.test.ts`: name of the test `` */
const testsOf = (proof: string): { file: string; name: string }[] =>
  [...proof.matchAll(/`([^`]+\.test\.ts)`: (.*?)(?=<br>|$)/g)].map(([, file = '', name = '']) => ({
    file,
    name: name.trim(),
  }));

/** Names of tests and suites as they are written, also where it.each or a table comes before. */
function namesIn(file: string): Set<string> {
  const source = readFileSync(fileURLToPath(new URL(file, root)), 'utf8');
  const literals = source.matchAll(
    /(?:\b(?:it|test|describe)(?:\.\w+)*|[)`])\(\s*(['"`])((?:\\.|(?!\1)[^\\])*)\1\s*,/g,
  );
  return new Set([...literals].map(([, , name = '']) => name.replaceAll(/\\(.)/g, '$1').replaceAll('|', '\\|')));
}
