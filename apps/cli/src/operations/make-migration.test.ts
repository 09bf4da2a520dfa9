import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { makeMigration } from './make-migration.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'postloop-cli-'));
});
afterEach(() => rmSync(folder, { recursive: true }));
const now = new Date('2026-11-21T06:05:04Z');

it('makes a folder that sorts by time, with a file to fill', () => {
  const { name, file } = makeMigration('add_waves', now, { dryRun: false, folder });
  expect(name).toBe('20261121060504_add_waves');
  expect(readFileSync(file, 'utf8')).toMatch(/^--/);
});

it('makes nothing in a dry run, nor under a name that is a path', () => {
  makeMigration('add_waves', now, { dryRun: true, folder });
  expect(() => makeMigration('../x', now, { dryRun: false, folder })).toThrow(expect.objectContaining({ exitCode: 2 }));
  expect(readdirSync(folder)).toEqual([]);
});
