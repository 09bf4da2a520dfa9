import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readClientFile } from './client-file.js';
import { CustomerFileError } from './customer-file-error.js';
import { findClientFile, findSourceFolders, readSourceFolder } from './source-files.js';

const EXAMPLE = fileURLToPath(new URL('../../../../examples/example-shop', import.meta.url));

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'postloop-cli-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const FIELDS = [
  { name: 'Email', type: 'varchar', role: 'email' },
  { name: 'BROADMAIL_ID', type: 'bigint', role: 'broadmail_id' },
];
const CLIENT = { name: 'Shop', directory: 'shop', masterList: { name: 'List', fields: FIELDS } };

function problemsOf(read: () => unknown) {
  try {
    read();
  } catch (error) {
    if (error instanceof CustomerFileError) return error.problems;
    throw error;
  }
  throw new Error('the file was taken');
}

function clientProblems(content: unknown) {
  const file = join(folder, 'client.json');
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return problemsOf(() => readClientFile(folder));
}

describe('client.json', () => {
  it('takes the example, and fills in what may be left out', () => {
    expect(readClientFile(EXAMPLE).masterList.fields).toHaveLength(9);
    writeFileSync(join(folder, 'client.json'), JSON.stringify(CLIENT));
    expect(readClientFile(folder)).toMatchObject({ timeZone: 'UTC', schedules: { inbox_poll: '*/10 * * * *' } });
  });

  it('every fault at once, each with file, path and remedy', () => {
    const problems = clientProblems({
      ...CLIENT,
      tmieZone: 'UTC',
      masterList: { name: 'List', fields: [{ name: 'Email', type: 'string', role: 'email' }, FIELDS[1]] },
      schedules: { inbox_poll: 'often' },
      directory: '../other',
    });
    expect(problems.map(({ path }) => path).sort()).toEqual([
      'directory',
      'masterList.fields[0].type',
      'schedules.inbox_poll',
      'tmieZone',
    ]);
    for (const problem of problems) {
      expect(problem.file).toBe(join(folder, 'client.json'));
      expect(problem.remedy).not.toBe('');
    }
    expect(problems.find(({ path }) => path.endsWith('type'))?.remedy).toContain('"varchar"');
  });

  it.each([
    ['is missing', { name: 'Shop', directory: 'shop' }, 'masterList'],
    [
      'no field has the role email',
      { ...CLIENT, masterList: { name: 'L', fields: [FIELDS[1], { name: 'A', type: 'text' }] } },
      'masterList.fields',
    ],
    [
      'another field named',
      { ...CLIENT, masterList: { name: 'L', fields: [...FIELDS, { name: 'email', type: 'text' }] } },
      'masterList.fields[2].name',
    ],
    [
      'another field has the role',
      { ...CLIENT, masterList: { name: 'L', fields: [...FIELDS, { name: 'B', type: 'text', role: 'email' }] } },
      'masterList.fields[2].role',
    ],
    [
      'role wave_id cannot be text',
      { ...CLIENT, masterList: { name: 'L', fields: [...FIELDS, { name: 'W', type: 'text', role: 'wave_id' }] } },
      'masterList.fields[2].type',
    ],
    [
      'has no length',
      { ...CLIENT, masterList: { name: 'L', fields: [...FIELDS, { name: 'N', type: 'integer', length: 4 }] } },
      'masterList.fields[2].length',
    ],
    ['no time zone', { ...CLIENT, timeZone: 'Berlin' }, 'timeZone'],
  ])('%s', (message, content, path) => {
    expect(clientProblems(content)).toMatchObject([{ path, message: expect.stringContaining(message) }]);
  });

  it('broken JSON is told with its line', () => {
    expect(clientProblems('{\n  "name": "Shop"\n  "directory": "shop"\n}')).toMatchObject([
      { path: expect.stringMatching(/^line 3, column/), message: expect.stringContaining('not JSON') },
    ]);
  });

  it('a file that is not there is told by its path', () => {
    expect(problemsOf(() => readClientFile(join(folder, 'x.json')))).toMatchObject([{ file: join(folder, 'x.json') }]);
  });
});

describe('a source mailing', () => {
  it('is found alone or in its folder, with the client it belongs to', () => {
    const all = findSourceFolders(join(EXAMPLE, 'source-mailings'));
    expect(all.map((one) => readSourceFolder(one).bodyFormat)).toEqual(['mjml', 'html']);
    expect(findSourceFolders(all[0] ?? '')).toEqual([all[0]]);
    expect(findClientFile(all[0] ?? '')).toBe(join(EXAMPLE, 'client.json'));
  });

  it('is sent at a time of day, if it says so', () => {
    const json = { name: 'N', subject: '', fromName: '', fromAddress: 'news@shop.example' };
    const read = (sendAt?: unknown) => {
      writeFileSync(join(folder, 'mailing.json'), JSON.stringify({ ...json, sendAt }));
      writeFileSync(join(folder, 'mail.html'), '<p>Hello</p>');
      return readSourceFolder(folder).sendAt;
    };
    expect(read()).toBeNull();
    expect(read(null)).toBeNull();
    expect(read('at 09:00 Europe/Berlin')).toBe('09:00 Europe/Berlin');
    expect(problemsOf(() => read('9 o’clock'))).toMatchObject([
      { path: 'sendAt', remedy: expect.stringContaining('09:00 Europe/Berlin') },
    ]);
  });

  it('a bad sender and a missing body are told', () => {
    const json = { name: 'N', subject: '', fromName: '', fromAddress: 'Shop <news@shop.example>' };
    writeFileSync(join(folder, 'mailing.json'), JSON.stringify(json));
    expect(problemsOf(() => readSourceFolder(folder))).toMatchObject([{ path: 'fromAddress' }]);
    writeFileSync(join(folder, 'mailing.json'), JSON.stringify({ ...json, fromAddress: 'news@shop.example' }));
    expect(problemsOf(() => readSourceFolder(folder))).toMatchObject([{ message: 'there is no body.' }]);
  });
});
