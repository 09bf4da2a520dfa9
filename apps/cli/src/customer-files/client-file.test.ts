import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readClientFile } from './client-file.js';

const EXAMPLE = join(import.meta.dirname, '../../../../examples/example-shop/client.json');

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'client-file-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function readWith(extraColumns: string[]) {
  const example: object = JSON.parse(readFileSync(EXAMPLE, 'utf8'));
  writeFileSync(join(folder, 'client.json'), JSON.stringify({ ...example, export: { extraColumns } }));
  return readClientFile(folder);
}

test('extra columns of the response files are those with a name of their own, and fields of the master list', () => {
  expect(readWith(['waveId', 'City']).export.extraColumns).toEqual(['waveId', 'City']);
  expect(() => readWith(['waveId', 'Town'])).toThrow(
    'export.extraColumns[1]: the master list has no field "Town". Name one of its fields as it stands there, or one of waveId,',
  );
});
