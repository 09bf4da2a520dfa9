import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { closedDirectory, prepareDataFolder } from './data-folder.js';

let base: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'postloop-cli-'));
  chmodSync(base, 0o755);
});
afterEach(() => rmSync(base, { recursive: true }));

it('names the first directory on the way that others may not pass', () => {
  mkdirSync(join(base, 'home', 'shop'), { recursive: true });
  chmodSync(join(base, 'home'), 0o700);
  expect(closedDirectory(join(base, 'home', 'shop'))).toBe(join(base, 'home'));
  expect(closedDirectory(base)).toBeUndefined();
});

it('keeps data where the person said, when PostgreSQL can get there, and closed to others', () => {
  const dir = join(base, 'stack');
  expect(prepareDataFolder(dir, true)).toEqual({ folder: dir, data: dir, closed: undefined });
  for (const name of ['sftp', 'inbox', 'logs', 'spool']) expect(statSync(join(dir, name)).mode & 0o077).toBe(0);
  expect(statSync(dir).mode & 0o777).toBe(0o711);
  prepareDataFolder(join(base, 'mine'), false);
  expect(statSync(join(base, 'mine')).mode & 0o777).toBe(0o700);
});
