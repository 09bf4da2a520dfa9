import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { describeProcess } from './process-info.js';
import { temporaryDirectory } from './temporary-directory.js';

const compiled = fileURLToPath(new URL('../dist/server-process.js', import.meta.url));

/** A program that starts `sleep` under guard, prints its process ID and ends in the given way. */
const program = (ending: string) => `
import { spawnServer } from ${JSON.stringify(pathToFileURL(compiled).href)};
const child = await spawnServer({ command: 'sleep', args: ['1000'], logFile: '/dev/null' });
process.stdout.write(child.pid + '\\n', () => { ${ending} });
`;

test.skipIf(!existsSync(compiled)).each([
  ['process.exit', 'process.exit(3)', 3, null],
  ['an uncaught error', 'throw new Error("expected here")', 1, null],
  ['SIGTERM', 'process.kill(process.pid, "SIGTERM")', null, 'SIGTERM'],
  ['SIGINT', 'process.kill(process.pid, "SIGINT")', null, 'SIGINT'],
  [
    'SIGTERM with a handler',
    'process.on("SIGTERM", () => process.exit(5)); process.kill(process.pid, "SIGTERM")',
    5,
    null,
  ],
  [
    'SIGINT with a handler that is called once and takes its time',
    'process.once("SIGINT", () => setTimeout(() => process.exit(6), 50)); process.kill(process.pid, "SIGINT")',
    6,
    null,
  ],
])('children end with %s', async (_name, ending, code, signal) => {
  await using dir = await temporaryDirectory();
  await writeFile(join(dir.path, 'main.mjs'), program(ending));
  const parent = spawn(process.execPath, [join(dir.path, 'main.mjs')], { stdio: ['ignore', 'pipe', 'ignore'] });
  const output = once(parent.stdout, 'data');
  expect(await once(parent, 'exit')).toEqual([code, signal]);
  const pid = Number(String((await output)[0]));
  await expect.poll(() => describeProcess(pid)).toBeUndefined();
});
