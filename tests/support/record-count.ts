import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFailed } from 'vitest';
import type { Balance } from './balance.js';

const FOLDER = fileURLToPath(new URL('../../node_modules/.postloop/faults', import.meta.url));

/**
 * Keeps what a fault test counted, for the table of docs/RELIABILITY.md (scripts/reliability.mjs): a file per scenario, the
 * newest run, gone when it failed. Other tests are not recorded.
 */
export function recordCount(count: Balance & { rows: number; received: number }): void {
  const { testPath = '', currentTestName } = expect.getState();
  if (!/[/\\]tests[/\\]faults[/\\]/.test(testPath) || currentTestName === undefined) return;
  mkdirSync(FOLDER, { recursive: true });
  const file = basename(testPath);
  const scenario = currentTestName.replaceAll(' > ', ': ');
  const name = `${file} ${scenario}`.replace(/\W+/g, '-').slice(0, 200);
  const path = join(FOLDER, `${name}.json`);
  writeFileSync(path, `${JSON.stringify({ file, scenario, ...count })}\n`);
  onTestFailed(() => rmSync(path, { force: true }));
}
