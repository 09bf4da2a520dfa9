import { storeInboundMessages } from '@postloop/db';
import {
  deliveryStatus,
  findRedisServer,
  type JournalEntry,
  type SmtpDrain,
  smtpSend,
  startSmtpDrain,
} from '@postloop/local-stack';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readMail } from './support/mail.js';
import { commandsServed } from './support/redis.js';
import { type CountedStatement, countingPostgres, countStatements, type StatementCount } from './support/statements.js';
import { until } from './support/until.js';
import {
  addClient,
  openWorld,
  rowsFor,
  runExport,
  type TestClient,
  untilSent,
  upload,
  type World,
} from './support/world.js';

// PostgreSQL counts what it is told for each of many: a statement for every row, mail or event would show as 1 or more.

/** So many that what each stage asks once does not count. */
const PEOPLE = 3_000;
const ANSWERING = 1_000;
const AT_MOST = 0.1;
/** A statement serves half the places on the connections, two each: the other half is on the wire meanwhile. */
const CONNECTIONS = '20';

// Without a Redis the queue's own statements are counted too; `npm test` says so when none could be had.
describe.skipIf(!findRedisServer())('statements', () => {
  let drain: SmtpDrain;
  let world: World;
  let count: StatementCount;
  let client: TestClient;
  let file: string;

  beforeAll(async () => {
    drain = await startSmtpDrain();
    world = await openWorld({
      // Each stage starts when its work lies ready. Without the scheduler: what is done by the clock is done for no mail.
      apps: ['sftp-ingest', 'importer'],
      queue: 'redis',
      prepare: countingPostgres,
      env: { LEASE_MS: '60000', JOB_LOCK_MS: '30000', SMTP_CONNECTIONS: CONNECTIONS },
    });
    count = await countStatements(world);
    client = await addClient(count.observed, 'counted');
    await count.since();
  });
  afterAll(async () => {
    await count[Symbol.asyncDispose]();
    await world[Symbol.asyncDispose]();
    await drain[Symbol.asyncDispose]();
  });

  const importIs = (status: string) =>
    until(`the import is ${status}`, () =>
      first(`SELECT 1 FROM import WHERE status = '${status}' AND file_name = $1`, file),
    );

  const rowsOf = (table: 'event' | 'response', rows: number) =>
    until(`${rows} rows of ${table}`, () => first(`SELECT 1 FROM ${table} HAVING count(*) >= $1`, rows));

  async function first(sql: string, value: unknown): Promise<unknown> {
    return (await count.observed.db.pool.query(sql, [value])).rows[0];
  }

  it('of import and factory, by row', async () => {
    file = await upload(count.observed, client, rowsFor(client, PEOPLE));
    await importIs('imported');
    expectFew(await count.since(), PEOPLE);
    await world.house.start('mailing-factory');
    await importIs('started');
    expectFew(await count.since(), PEOPLE);
  });

  it('of sending, and commands to Redis, by mail', async () => {
    const redis = world.stack.redis?.port ?? 0;
    const before = await commandsServed(redis);
    await world.house.start('sender-workers', { env: { SMTP_URL: drain.url } });
    await untilSent(count.observed, client, file);
    expectFew(await count.since(), PEOPLE);
    // Those that BullMQ's scripts run inside Redis are among them.
    expect(((await commandsServed(redis)) - before) / PEOPLE).toBeLessThan(0.3);
  });

  describe('by event,', () => {
    let mails: JournalEntry[];

    beforeAll(async () => {
      await world.house.app('sender-workers').stop();
      await world.house.start('sender-workers');
      await untilSent(count.observed, client, await upload(count.observed, client, rowsFor(client, ANSWERING)));
      mails = world.stack.inbox.journal().filter(({ type }) => type === 'accepted');
      await world.house.start('tracking-gateway');
    });

    it('of the gateway', async () => {
      const read = await Promise.all(mails.map((entry) => readMail(world.stack.inbox.raw(entry))));
      const urls = read.flatMap(({ pixel, clicks }) => [pixel, ...clicks]);
      await count.since();
      await byMany(urls, (url) => fetch(url, { redirect: 'manual' }));
      await rowsOf('event', urls.length);
      expectFew(await count.since(), urls.length);
    });

    it('of returned mail that waits, and of what comes in', async () => {
      const reports = mails.map(({ envelopeFrom, envelopeTo: [recipient = ''] }) => {
        const report = (status: string) => deliveryStatus(envelopeFrom, [{ recipient, status, diagnostic: status }]);
        return { to: envelopeFrom, waiting: report('5.2.2'), coming: report('4.2.2') };
      });
      // What an earlier life took over and did not look at.
      await storeInboundMessages(
        count.observed.db.pool,
        reports.map(({ to, waiting }) => ({
          ...{ source: 'smtp', raw: Buffer.from(waiting), envelopeFrom: '', envelopeTo: [to], receivedAt: new Date() },
        })),
      );
      await count.since();
      await world.house.start('inbound-mail');
      await rowsOf('response', mails.length);
      // PostgreSQL looks for the client of each counter that is new, which is one for each address that ever bounced.
      expectFew(await count.since(), mails.length, { inside: 1 + AT_MOST });

      await byMany(reports, ({ to, coming }) => smtpSend(world.house.inboundUrl, { from: '', to }, coming));
      await rowsOf('response', 2 * mails.length);
      // Each is stored before its server hears 250, with whatever waits at that moment; the others are by the clock.
      expectFew(await count.since(), mails.length, { sent: 3 });
    });

    it('of the export', async () => {
      await world.house.start('response-exporter');
      await count.since();
      const { opens, clicks } = await runExport(count.observed, client);
      expectFew(await count.since(), opens.length + clicks.length);
    });
  });
});

/** @param limits statements that programs send for each thing, and those that triggers, foreign keys and functions run inside PostgreSQL */
function expectFew(
  statements: readonly CountedStatement[],
  things: number,
  limits: { sent?: number; inside?: number } = {},
): void {
  const { sent = AT_MOST, inside = AT_MOST } = limits;
  const most = statements.slice(0, 5).map(({ calls, text }) => `${calls} × ${text.replace(/\s+/g, ' ').slice(0, 100)}`);
  for (const [toplevel, atMost] of [
    [true, sent],
    [false, inside],
  ] as const) {
    const calls = statements.filter((one) => one.toplevel === toplevel).reduce((sum, one) => sum + one.calls, 0);
    expect(calls / things, `${calls} statements for ${things}, most often:\n${most.join('\n')}\n`).toBeLessThanOrEqual(
      atMost,
    );
  }
}

/** Twenty at a time, as a busy hour brings them. */
async function byMany<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  const waiting = [...items];
  const one = async () => {
    for (let item = waiting.pop(); item !== undefined; item = waiting.pop()) await work(item);
  };
  await Promise.all(Array.from({ length: 20 }, one));
}
