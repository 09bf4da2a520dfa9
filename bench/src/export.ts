import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Database, deployMigrations, openDatabase, repeatExport, selectExports } from '@postloop/db';
import { startPostgres, startSftpServer, temporaryDirectory } from '@postloop/local-stack';
import { exportResponses } from '@postloop/response-exporter/dist/export-responses.js';
import { createMetrics } from '@postloop/response-exporter/dist/metrics.js';
import { createContext } from '@postloop/service-kit';
import { connectSftp } from '@postloop/sftp';
import { share } from './shares.js';

const CLIENT = 5_000n;
const EVENTS_PER_TICKET = 500;
const RECIPIENTS = 100_000;

/**
 * `export [--events N] [--rounds N]`: N clicks (default one million) to a response file of the profile `current` on an SFTP
 * server on this machine, against COPY of the bare columns of the same events to a local file, in turns. The medians count.
 */
export async function exportFiles(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: { events: { type: 'string', default: '1000000' }, rounds: { type: 'string', default: '3' } },
  });
  const events = Number(values.events);
  await using directory = await temporaryDirectory();
  await using postgres = await startPostgres({ dir: join(directory.path, 'postgres') });
  const url = await postgres.createDatabase('bench');
  await deployMigrations(url);
  await using db = openDatabase({ url, poolMax: 6, onError: () => undefined });
  await using exporter = await startExporter(db, directory.path);
  await insertEvents(db, events);

  const copied: number[] = [];
  const exported: number[] = [];
  for (let round = 0; round < Number(values.rounds); round += 1) {
    copied.push(await seconds(() => copyBare(db, join(directory.path, 'postgres', 'data', 'bare.csv'))));
    exported.push(await seconds(() => exporter.run()));
    console.log(`COPY ${copied.at(-1)?.toFixed(2)} s, export ${exported.at(-1)?.toFixed(2)} s`);
  }
  const files = (await selectExports(db.pool, CLIENT))[0]?.files ?? [];
  const clicks = files.find(({ kind }) => kind === 'clicks');
  if (clicks?.rows !== events) throw new Error(`the file has ${clicks?.rows} rows`);
  const copySeconds = median(copied);
  const exportSeconds = median(exported);
  console.log(
    JSON.stringify({
      events,
      megabytes: Math.round(clicks.bytes / 1e6),
      copySeconds,
      exportSeconds,
      rowsPerSecond: Math.round(events / exportSeconds),
      ofCopy: share(copySeconds, exportSeconds),
    }),
  );
}

async function startExporter(db: Database, dir: string): Promise<{ run(): Promise<void> } & AsyncDisposable> {
  const user = { username: 'bench', password: 'secret', root: join(dir, 'sftp') };
  const server = await startSftpServer({ hostKeyFile: join(dir, 'host_key'), users: [user] });
  const { log, metrics: registry, clock } = createContext('bench', 'warn');
  const access = { host: '127.0.0.1', port: server.port, username: user.username, password: user.password };
  const connect = () => connectSftp({ ...access, hostKey: server.hostKeyFingerprint });
  const metrics = createMetrics(registry);
  const deps = { db, connect, clock, log, metrics, signal: new AbortController().signal };
  return {
    async run() {
      const [first] = await selectExports(db.pool, CLIENT);
      if (first) await repeatExport(db.pool, first.id);
      await exportResponses(deps, { clientId: CLIENT, resume: first !== undefined });
    },
    [Symbol.asyncDispose]: () => server.stop(),
  };
}

/** One mailing, and clicks of its recipients on five links. */
async function insertEvents({ pool }: Database, events: number): Promise<void> {
  await pool.query(`
    INSERT INTO client (id, name, directory, time_zone) VALUES (${CLIENT}, 'Bench', 'bench', 'Europe/Berlin');
    INSERT INTO recipient_list (id, client_id, kind, name) VALUES (8000, ${CLIENT}, 'import', 'rows'), (9000, ${CLIENT}, 'master', 'master');
    INSERT INTO source_mailing (id, client_id, list_id, name, subject, from_name, from_address, body_format, body)
      VALUES (6000, ${CLIENT}, 9000, 'news', '', '', '', 'html', '');
    INSERT INTO import (id, client_id, directory, file_name, size, modified_at, status) VALUES (10000, ${CLIENT}, 'import', 'a.csv', 1, now(), 'started');
    INSERT INTO mailing (id, client_id, import_id, source_mailing_id, recipient_list_id, name, test, status, started_at)
      VALUES (20000, ${CLIENT}, 10000, 6000, 8000, 'news', false, 'sending', now());
    INSERT INTO link (mailing_id, ordinal, id, purpose, name, url, personalised)
      SELECT 20000, n, 20000 + n, 'click', 'link ' || n, 'https://shop.example/' || n, false FROM generate_series(1, 5) n;
    INSERT INTO mailing_recipient (mailing_id, id, line, email, fields, status)
      SELECT 20000, 1000000 + n * 1000, n, 'person' || n || '@mail.example', ARRAY['person' || n || '@mail.example', '6000', 'Ada ' || n, 'Lovelace'], 'queued'
        FROM generate_series(1, ${RECIPIENTS}) n;`);
  await pool.query(
    `INSERT INTO event (mailing_id, id, client_id, ticket, recipient_id, kind, link_ordinal, occurred_at, browser, platform, device, verdict, verdict_rule, user_agent)
     SELECT 20000, gen_random_uuid(), $1, 1 + n / $3, 1000000 + (1 + n * 7919 % $4) * 1000, 'click', 1 + n % 5,
            timestamptz '2026-07-01 08:00Z' + n * interval '50 ms', 'Firefox 140', 'Windows 11', 'Desktop', 'human', 'browser',
            'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0'
       FROM generate_series(0, $2::bigint - 1) n`,
    [CLIENT, events, EVENTS_PER_TICKET, RECIPIENTS],
  );
  await pool.query('INSERT INTO export_ticket (client_id, last) VALUES ($1, $2)', [CLIENT, events]);
  await pool.query('VACUUM ANALYZE');
}

async function copyBare({ pool }: Database, path: string): Promise<void> {
  await pool.query(
    `COPY (SELECT mailing_id, recipient_id, link_ordinal, client_id, occurred_at, browser, platform, device
             FROM event WHERE client_id = ${CLIENT} AND kind = 'click') TO '${path}' (FORMAT csv, DELIMITER ';')`,
  );
}

async function seconds(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return Math.round(performance.now() - start) / 1_000;
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
