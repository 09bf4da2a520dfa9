import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runCli } from './support/cli.js';
import { addClient, openWorld, type World } from './support/world.js';

let world: World;
beforeAll(async () => {
  world = await openWorld({ apps: ['response-exporter'] });
});
afterAll(() => world[Symbol.asyncDispose]());

const cli = (...args: string[]) => runCli([...args, '--json'], world.house.env);

interface ExportedRun {
  id: string;
  files: { sha256: string }[];
  paths: string[];
  changed: string[];
}
const asRun = ({ json }: Awaited<ReturnType<typeof cli>>) => json as ExportedRun;

it('postloop export repeat: the files of a run once more, the same bytes, under the same names', async () => {
  const client = await addClient(world, 'repeat');
  const run = asRun(await cli('export', 'run', 'repeat'));
  expect(run.paths).toHaveLength(7);
  const file = join(world.stack.sftpRoot, run.paths[0] ?? '');
  const bytes = readFileSync(file);
  rmSync(file);

  expect(await cli('export', 'repeat', run.id, '--dry-run')).toMatchObject({ code: 0 });
  const repeated = asRun(await cli('export', 'repeat', run.id));
  expect(repeated).toMatchObject({ id: run.id, files: run.files, paths: run.paths, changed: [] });
  expect(readFileSync(file)).toEqual(bytes);
  expect(await cli('export', 'list', String(client.id))).toMatchObject({ json: [{ id: run.id, status: 'done' }] });
});

it('an export that does not exist, and a client whose export module is off, are refused with what to do', async () => {
  const client = await addClient(world, 'off');
  const { id } = asRun(await cli('export', 'run', 'off'));
  await world.db.pool.query(`UPDATE client SET settings = '{"modules": {"export": false}}' WHERE id = $1`, [client.id]);
  for (const args of [
    ['run', 'off'],
    ['repeat', id],
  ]) {
    const { code, stderr, stdout } = await cli('export', ...args);
    expect(code).toBe(1);
    expect(stderr + stdout).toContain('the export module of this client is off');
  }
  expect((await cli('export', 'repeat', '999')).code).toBe(1);
});
