import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { temporaryDirectory } from '@postloop/local-stack';
import { type Campaign, openCampaign, writeRows } from './harness/campaign.js';
import { csvLine, USUAL_MAIL } from './harness/campaign-mail.js';
import { debianProgram, type Program } from './harness/debian-program.js';
import { figureOptions, type Round, runFigure } from './harness/figure.js';
import { ProcessWatch } from './harness/process-watch.js';
import { secondsOf } from './harness/statistics.js';

const ROWS = 1_000_000;
const COLUMNS = 8;
const KEY = ['mailing_id', 'id'];
const TEXTS = Array.from({ length: COLUMNS }, (_, i) => `c${i + 1}`);

const run = promisify(execFile);

/**
 * `import`: rows of 8 columns from the rename of the upload to mailing recipients, against psql's COPY of the same rows. The SFTP
 * server is OpenSSH's, as most companies run it.
 */
export async function importRows(args: readonly string[]): Promise<void> {
  const options = figureOptions(args);
  const rows = Math.round(ROWS * options.scale);
  const psql = await debianProgram('psql', 'postgresql-client-15');
  await using directory = await temporaryDirectory();
  await using campaign = await openCampaign({
    ...{ dir: directory.path, apps: ['sftp-ingest', 'importer'], mail: USUAL_MAIL, columns: COLUMNS, openSsh: true },
  });
  // The first file of a process and of a table is slower: it is nobody's.
  await importRound(campaign, Math.min(rows, 20_000));
  const file = join(directory.path, 'rows.csv');
  await writeRows(file, rows, (row) => `${campaign.sourceId};${row};${csvLine(campaign.sourceId, row, COLUMNS)}`);
  await runFigure(
    {
      ...{ name: 'import', unit: 'rows/s', reach: '≥ 0.4', processes: 5 },
      reference: () => copyRound(campaign, psql, file, rows),
      ours: () => importRound(campaign, rows),
    },
    options,
  );
  await rm(file);
}

/** Into a logged table of text columns, with the key of recipients. */
async function copyRound({ db, stack }: Campaign, psql: Program, file: string, rows: number): Promise<Round> {
  const columns = [...KEY.map((name) => `${name} bigint`), ...TEXTS.map((name) => `${name} text`)].join(', ');
  await db.pool.query('DROP TABLE IF EXISTS copied');
  await db.pool.query(`CREATE TABLE copied (${columns}, PRIMARY KEY (${KEY.join(', ')}))`);
  await db.pool.query('CHECKPOINT');
  using watch = new ProcessWatch({ postgres: stack.postgres.pid });
  const copy = `\\copy copied from '${file}' (format csv, delimiter ';')`;
  const env = { ...process.env, ...psql.env };
  const seconds = await secondsOf(() => run(psql.path, ['-X', '-q', stack.databaseUrl, '-c', copy], { env }));
  return { rate: rows / seconds, peakRssMb: watch.peakRssMb() };
}

async function importRound(campaign: Campaign, rows: number): Promise<Round> {
  const { db, house, stack, sftpHost } = campaign;
  const upload = await campaign.stage(rows);
  await db.pool.query('CHECKPOINT');
  using watch = new ProcessWatch({
    importer: house.app('importer').pid,
    'sftp-ingest': house.app('sftp-ingest').pid,
    postgres: stack.postgres.pid,
    redis: stack.redis?.pid ?? 0,
    sshd: sftpHost?.pid ?? 0,
  });
  const began = watch.cpuSeconds();
  const seconds = await secondsOf(async () => imported(campaign, await upload(), rows));
  const cpu = Object.entries(watch.cpuSeconds()).map(
    ([name, used]) => `${name} ${(((used - (began[name] ?? 0)) * 1e6) / rows).toFixed(2)}`,
  );
  console.log(`     ${rows} rows in ${seconds.toFixed(2)} s; microseconds of CPU per row: ${cpu.join(', ')}`);
  return { rate: rows / seconds, peakRssMb: watch.peakRssMb() };
}

/** Waits until every row of the file is a mailing recipient. */
async function imported({ db }: Campaign, fileName: string, rows: number): Promise<void> {
  for (;;) {
    const { rows: found } = await db.pool.query<{ status: string; queued: bigint; faults: unknown }>(
      'SELECT status, queued, faults FROM import WHERE file_name = $1',
      [fileName],
    );
    const [file] = found;
    if (file?.status === 'failed') throw new Error(`${fileName} failed: ${JSON.stringify(file.faults)}`);
    if (file?.status === 'imported') {
      if (file.queued !== BigInt(rows)) throw new Error(`${file.queued} of ${rows} rows are queued`);
      return;
    }
    await pause(10);
  }
}
