import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { type ExportRun, repeatExport, selectExports } from '@postloop/db';
import { findProgram, temporaryDirectory } from '@postloop/local-stack';
import { type Campaign, openCampaign } from './harness/campaign.js';
import { USUAL_MAIL } from './harness/campaign-mail.js';
import { figureOptions, type Round, runFigure } from './harness/figure.js';
import { ProcessWatch } from './harness/process-watch.js';

const run = promisify(execFile);

const EVENTS = 5_000_000;
const EVENTS_PER_TICKET = 500;
const RECIPIENTS = 100_000;

/**
 * `export`: clicks of one mailing's recipients to a response file of the profile `current` on an SFTP server on this machine,
 * against psql's COPY of the bare columns of the same events to a local file. The SFTP server is OpenSSH's, as most companies
 * run it.
 */
export async function exportFiles(args: readonly string[]): Promise<void> {
  const options = figureOptions(args);
  const events = Math.round(EVENTS * options.scale);
  const psql = findProgram(['psql']);
  if (!psql) throw new Error('psql is missing: install the Debian package postgresql-client and run this again');
  await using directory = await temporaryDirectory();
  await using campaign = await openCampaign({
    dir: directory.path,
    apps: ['response-exporter'],
    mail: USUAL_MAIL,
    openSsh: true,
  });
  await insertEvents(campaign, events);
  await runFigure(
    {
      name: 'export',
      unit: 'events/s',
      reach: '≥ 0.5',
      processes: 5,
      reference: () => copyRound(campaign, psql, join(directory.path, 'bare.csv'), events),
      ours: () => exportRound(campaign, events),
    },
    options,
  );
}

/** One mailing, and clicks of its recipients on five links. */
async function insertEvents({ db: { pool }, clientId, sourceId }: Campaign, events: number): Promise<void> {
  await pool.query(`
    INSERT INTO recipient_list (id, client_id, kind, name) VALUES (8000, ${clientId}, 'import', 'rows');
    INSERT INTO import (id, client_id, directory, file_name, size, modified_at, status) VALUES (10000, ${clientId}, 'import', 'a.csv', 1, now(), 'started');
    INSERT INTO mailing (id, client_id, import_id, source_mailing_id, recipient_list_id, name, test, status, started_at)
      VALUES (20000, ${clientId}, 10000, ${sourceId}, 8000, 'news', false, 'sending', now());
    INSERT INTO link (mailing_id, ordinal, id, purpose, name, url, personalised)
      SELECT 20000, n, 20000 + n, 'click', 'link ' || n, 'https://shop.example/' || n, false FROM generate_series(1, 5) n;
    INSERT INTO mailing_recipient (mailing_id, id, line, email, fields, status)
      SELECT 20000, 1000000 + n * 1000, n, 'person' || n || '@mail.example', ARRAY['person' || n || '@mail.example', '6000', 'Ada ' || n, 'Lovelace'], 'queued'
        FROM generate_series(1, ${RECIPIENTS}) n;`);
  // IDs of version 7, as the gateway makes them.
  await pool.query(
    `INSERT INTO event (mailing_id, id, client_id, ticket, recipient_id, kind, link_ordinal, occurred_at, browser, platform, device, verdict, verdict_rule, user_agent)
     SELECT 20000, uuidv7(), $1, 1 + n / $3, 1000000 + (1 + n * 7919 % $4) * 1000, 'click', 1 + n % 5,
            timestamptz '2026-07-01 08:00Z' + n * interval '50 ms', 'Firefox 140', 'Windows 11', 'Desktop', 'human', 'browser',
            'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0'
       FROM generate_series(0, $2::bigint - 1) n`,
    [clientId, events, EVENTS_PER_TICKET, RECIPIENTS],
  );
  await pool.query('INSERT INTO export_ticket (client_id, last) VALUES ($1, $2)', [clientId, events]);
  await pool.query('VACUUM ANALYZE');
  await pool.query('CHECKPOINT');
}

async function copyRound({ stack, clientId }: Campaign, psql: string, file: string, events: number): Promise<Round> {
  const bare = 'mailing_id, recipient_id, link_ordinal, client_id, occurred_at, browser, platform, device';
  const copy = `\\copy (SELECT ${bare} FROM event WHERE client_id = ${clientId} AND kind = 'click') TO '${file}' (FORMAT csv, DELIMITER ';')`;
  const start = performance.now();
  const running = run(psql, ['-X', '-d', stack.databaseUrl, '-c', copy]);
  using watch = new ProcessWatch({ psql: running.child.pid ?? 0, postgres: stack.postgres.pid });
  const { stdout } = await running;
  const seconds = (performance.now() - start) / 1_000;
  if (stdout.trim() !== `COPY ${events}`) throw new Error(`psql says ${stdout}`);
  return { rate: events / seconds, peakRssMb: { psql: watch.peakRssMb().psql ?? 0 } };
}

/** The first round plans the run, the others repeat it. */
async function exportRound(campaign: Campaign, events: number): Promise<Round> {
  const { db, house, stack, sftpHost, producer, clientId } = campaign;
  const [earlier] = await selectExports(db.pool, clientId);
  if (earlier) await repeatExport(db.pool, earlier.id);
  using watch = new ProcessWatch({
    'response-exporter': house.app('response-exporter').pid,
    postgres: stack.postgres.pid,
    sshd: sftpHost?.pid ?? 0,
  });
  const began = new Map(Object.entries(watch.cpuSeconds()));
  const start = performance.now();
  await producer.enqueue('responseExport', { v: 1, clientId, resume: earlier !== undefined });
  const { files } = await finished(campaign);
  const seconds = (performance.now() - start) / 1_000;
  const cpu = Object.entries(watch.cpuSeconds()).map(
    ([name, used]) => `${name} ${(((used - (began.get(name) ?? 0)) * 1e6) / events).toFixed(2)}`,
  );
  console.log(`     microseconds of CPU per event: ${cpu.join(', ')}`);
  const clicks = files.find(({ kind }) => kind === 'clicks');
  if (clicks?.rows !== events) throw new Error(`the file has ${clicks?.rows} rows`);
  return { rate: events / seconds, peakRssMb: watch.peakRssMb() };
}

async function finished({ db, clientId }: Campaign): Promise<ExportRun> {
  for (;;) {
    const [exported] = await selectExports(db.pool, clientId);
    if (exported?.status === 'done') return exported;
    await pause(100);
  }
}
