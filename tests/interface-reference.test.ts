import { type ClientSettings, clientSettings } from '@postloop/contracts';
import { type CsvFileKind, csvFileKinds, exportColumns } from '@postloop/db';
import { expect, it } from 'vitest';
import { clientFileSchema } from '../apps/cli/dist/customer-files/client-file.js';
import { mailingFileSchema } from '../apps/cli/dist/customer-files/source-files.js';
import { fieldForms, sendAtForm } from '../packages/db/dist/field-form.js';
import { code, documented, expectDocumented, expectDocumentedTable, table, tableRows } from './support/documented.js';
import { type Describable, settingRows } from './support/settings-table.js';

// What docs/INTERFACE.md lists is what the schemas say. After a change: UPDATE_DOCS=1 npm test -- tests/interface-reference.test.ts

const INTERFACE = 'docs/INTERFACE.md';

it.each<[string, Describable]>([
  ['client.json', clientFileSchema],
  ['mailing.json', mailingFileSchema],
])('%s: every key, what may stand there, its default', (name, schema) => {
  expectDocumentedTable(INTERFACE, name, ['key', 'values', 'default', 'meaning'], settingRows(schema));
});

it('every type of field, in the form that its values have', () => {
  const forms = { ...fieldForms, 'timestamp with the role send_at': sendAtForm };
  const rows = Object.entries(forms).map(([type, { form }]) => [code(type), form]);
  expectDocumentedTable(INTERFACE, 'field types', ['type', 'values', 'examples'], rows);
});

it('the examples of each type are of its form', () => {
  const forms = { ...fieldForms, 'timestamp with the role send_at': sendAtForm };
  for (const [type = '', , examples = ''] of tableRows(documented(INTERFACE, 'field types'))) {
    const form = Object.entries(forms).find(([name]) => code(name) === type)?.[1];
    for (const [, example = ''] of examples.matchAll(/`([^`]*)`/g))
      expect(example, `${type} ${example}`).toMatch(new RegExp(form?.pattern ?? ''));
  }
});

const SETTINGS: ClientSettings['export'] = clientSettings.parse({}).export;
const columnsOf = (kind: CsvFileKind, profile: 'classic' | 'current'): string[] =>
  exportColumns(kind, { ...SETTINGS, profile, timeZone: 'UTC' }).map(({ name }) => name);

it('the columns of the response files in both profiles', () => {
  const rows = csvFileKinds.map((kind) => [
    code(kind),
    columnsOf(kind, 'current').map(code).join(', '),
    columnsOf(kind, 'classic').map(code).join(', '),
  ]);
  expectDocumented(INTERFACE, 'response columns', table(['file', '`current`', '`classic`'], rows));
});

it('every column of the response files has a meaning', () => {
  const places = new Map<string, string[]>();
  for (const kind of csvFileKinds)
    for (const name of new Set([...columnsOf(kind, 'current'), ...columnsOf(kind, 'classic')]))
      places.set(name, [...(places.get(name) ?? []), kind]);
  const rows = [...places].map(([name, kinds]) => [
    code(name),
    kinds.length === csvFileKinds.length ? 'all' : kinds.join(', '),
  ]);
  expectDocumentedTable(INTERFACE, 'column meanings', ['column', 'files', 'meaning'], rows);
});

it('the extra columns, and the files that have them', () => {
  const extras = ['waveId', 'sourceMailingId', 'verdict', 'eventId', 'City'];
  const having = (name: string) =>
    csvFileKinds.filter((kind) =>
      exportColumns(kind, { ...SETTINGS, extraColumns: [name], timeZone: 'UTC' }).some(
        (column) => column.name === name,
      ),
    );
  const rows = extras.map((name) => [
    name === 'City' ? 'name of a field, such as `City`' : code(name),
    having(name).join(', '),
  ]);
  expectDocumentedTable(INTERFACE, 'extra columns', ['column', 'files', 'meaning'], rows);
});
