import { describeFault, type FaultCode, type FileFault, inboxPaths } from '@postloop/contracts';
import { formatRow } from '@postloop/csv-dialect';
import { type ClientFacts, selectImportReport, selectListFields, upsertMasterList } from '@postloop/db';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { cell, code, expectDocumentedTable } from './support/documented.js';
import { untilLies } from './support/exchange.js';
import { idsInOrder } from './support/interface-example.js';
import { until } from './support/until.js';
import {
  addClient,
  openWorld,
  rowsFor,
  sendingApps,
  type TestClient,
  type TestSource,
  upload,
  type World,
} from './support/world.js';

// The error codes of docs/INTERFACE.md, each from a file that provokes it. After a change:
// UPDATE_DOCS=1 npm test -- tests/interface-errors.test.ts

let world: World;
beforeAll(async () => {
  world = await openWorld({ apps: sendingApps });
});
afterAll(() => world[Symbol.asyncDispose]());

const FILE = '20261121080000_subscribers.csv';
const LATER = '20261121090000_subscribers.csv';

/** How a client comes to an error. */
interface Cause {
  source?: TestSource;
  facts?: Partial<ClientFacts>;
  /** @returns the file that has the fault */
  provoke: (client: TestClient) => Promise<string>;
}

const CAUSES: Record<FaultCode, Cause> = {
  column_count: sending(({ sources: [id] }) => `ada@shop.example;${id};;Ms;Ada\n`),
  quoting: sending(({ sources: [id] }) => `ada@shop.example;${id};;Ms;Ada "the first";Lovelace\n`),
  encoding: sending(({ sources: [id] }) => Buffer.from(`ada@shop.example;${id};;Ms;Ada;Löwe\n`, 'latin1')),
  line_break: sending(({ sources: [id] }) => `ada@shop.example;${id};;Ms;Ada;Love\rlace\n`),
  record_too_long: sending(({ sources: [id] }) => `ada@shop.example;${id};;Ms;Ada;"${'Lovelace\n'.repeat(200_000)}`),
  empty_file: sending(() => '\n'),
  header: {
    facts: { settings: { files: { header: 'present' } } },
    ...sending(() => 'Email;BROADMAIL_ID;WAVE_ID;Salutation;Forename;Last name\n'),
  },
  bad_value: sending(({ sources: [id] }) => `ada@shop.example;${id};W-77;Ms;Ada;Lovelace\n`),
  too_many_bad_values: sending(({ sources: [id] }) => `ada(at)shop.example;${id};;Ms;Ada;Lovelace\n`),
  source_mailing_unknown: sending(() => 'ada@shop.example;4711;;Ms;Ada;Lovelace\n'),
  source_mailing_status: {
    async provoke(client) {
      await world.db.pool.query(`UPDATE source_mailing SET status = 'archived' WHERE client_id = $1`, [client.id]);
      return sendFile(client, FILE, goodRows(client));
    },
  },
  send_at: {
    async provoke(client) {
      await addSendAt(client);
      const at = (hour: number) => `2026-11-30T${hour}:00+01:00`;
      return sendFile(
        client,
        FILE,
        rowsFor(client, 2)
          .map((row, i) => formatRow([...row, at(10 + i)]))
          .join(''),
      );
    },
  },
  template: { source: { html: '<p>Hello {{ Frist name }}!</p>' }, ...sending(goodRows) },
  product_data: {
    source: { html: '<p>{% for p in Salutation | products %}{{ p.id }}{% endfor %}</p>' },
    ...sending(goodRows),
  },
  content: { source: { html: '<p>{{ Salutation | content }}</p>' }, ...sending(goodRows) },
  file_name_taken: {
    async provoke(client) {
      await accepted(client, FILE, goodRows(client));
      return sendFile(client, FILE, goodRows(client).repeat(2));
    },
  },
  content_known: {
    async provoke(client) {
      await accepted(client, FILE, goodRows(client));
      return sendFile(client, LATER, goodRows(client));
    },
  },
  file_gone: {
    async provoke(client) {
      await rejected(client);
      await world.sftp.remove(`${inboxPaths(client.directory, 'import').failed}/${FILE}`);
      await sendFile(client, `${FILE}.restart`, '');
      return FILE;
    },
  },
  correction: {
    async provoke(client) {
      await rejected(client);
      return sendFile(client, `${FILE}.restart`, `first;${goodRows(client)}`);
    },
  },
  order_unknown: { provoke: (client) => sendFile(client, `${FILE}.restart`, '') },
  order_needless: {
    async provoke(client) {
      await accepted(client, FILE, goodRows(client));
      return sendFile(client, `${FILE}.restart`, '');
    },
  },
};

it('every code comes with its place, its message and its remedy, as docs/INTERFACE.md tells', async () => {
  const rows: string[][] = [];
  for (const [name, { source, facts, provoke }] of Object.entries(CAUSES)) {
    const client = await addClient(world, name.replaceAll('_', '-'), [source ?? {}], facts);
    const fault = await untilFault(client, await provoke(client), name);
    const same = idsInOrder();
    const example = describeFault({ ...fault, remedy: '' }).trim();
    rows.push([code(name), cell(same(example)), cell(same(fault.remedy))]);
  }
  expect(rows.map(([, , remedy]) => remedy)).not.toContain('');
  expectDocumentedTable('docs/INTERFACE.md', 'error codes', ['code', 'example', 'remedy', 'when'], rows);
}, 180_000);

function goodRows(client: TestClient): string {
  return rowsFor(client, 1).map(formatRow).join('');
}

/** A client whose first file has the fault. */
function sending(content: (client: TestClient) => string | Buffer): Cause {
  return { provoke: (client) => sendFile(client, FILE, content(client)) };
}

function sendFile(client: TestClient, name: string, content: string | Buffer): Promise<string> {
  return upload(world, client, typeof content === 'string' ? Buffer.from(content) : content, name);
}

async function accepted(client: TestClient, name: string, content: string): Promise<void> {
  await sendFile(client, name, content);
  await untilLies(world, client, 'done', name);
}

async function rejected(client: TestClient): Promise<void> {
  await sendFile(client, FILE, 'ada@shop.example\n');
  await untilLies(world, client, 'failed', FILE);
}

const untilFault = (client: TestClient, file: string, name: string): Promise<FileFault> =>
  until(`${file} of ${client.directory} has the fault ${name}`, async () => {
    const report = await selectImportReport(world.db.pool, client.id, file);
    return report?.faults?.find((fault) => fault.code === name);
  });

async function addSendAt(client: TestClient): Promise<void> {
  const { rows } = await world.db.pool.query<{ id: bigint }>(
    `SELECT id FROM recipient_list WHERE client_id = $1 AND kind = 'master'`,
    [client.id],
  );
  const fields = await selectListFields(world.db.pool, rows[0]?.id ?? 0n);
  await upsertMasterList(world.db, client.id, 'master', [
    ...fields.map(({ ordinal, ...field }) => field),
    { name: 'SEND_AT', type: 'timestamp', length: null, required: false, role: 'send_at' },
  ]);
}
