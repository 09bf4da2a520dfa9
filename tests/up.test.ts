import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { temporaryDirectory } from '@postloop/local-stack';
import { expect, it } from 'vitest';
import { runCli, spawnCli } from './support/cli.js';

const EXAMPLE = fileURLToPath(new URL('../examples/example-shop', import.meta.url));
const PATIENCE_MS = 180_000;

it(
  'keeps its data over a kill -9, and serves commands in its folder without any settings',
  async () => {
    await using directory = await temporaryDirectory();
    const folder = directory.path;
    const first = await startUp(folder);
    const applied = await runCli(['client', 'apply', EXAMPLE, '--json'], {}, folder);
    expect(applied.code, applied.stderr).toBe(0);
    first.child.kill('SIGKILL');
    await once(first.child, 'close');

    const second = await startUp(folder);
    try {
      // Mails that were sent before name this address.
      expect(second.told.gateway).toBe(first.told.gateway);
      const listed = await runCli(['client', 'list', '--json'], {}, folder);
      expect(listed.json).toMatchObject([{ name: 'Example Shop', id: (applied.json as { id: string }).id }]);
      const twice = await runCli(['up', '--json'], {}, folder);
      expect(twice).toMatchObject({ code: 1, json: { error: { message: expect.stringContaining('is up already') } } });
    } finally {
      second.child.kill('SIGINT');
      expect(await once(second.child, 'close')).toEqual([0, null]);
    }
    const after = await runCli(['client', 'list', '--json'], {}, folder);
    expect(after).toMatchObject({ code: 1, json: { error: { remedy: expect.stringContaining('postloop up') } } });
  },
  PATIENCE_MS,
);

/** Resolves when everything is up, with what it told about itself. */
async function startUp(folder: string): Promise<{ child: ChildProcess; told: Record<string, string> }> {
  const child = spawnCli(['up', '--json'], {}, folder);
  let stderr = '';
  child.stderr?.on('data', (chunk) => {
    stderr += chunk;
  });
  const line = await Promise.race([
    once(child.stdout ?? child, 'data').then(([chunk]) => String(chunk)),
    once(child, 'close').then(() => Promise.reject(new Error(stderr))),
  ]);
  return { child, told: JSON.parse(line) };
}
