import { type ExportRun, selectClientSettings, selectExport, selectExportSummaries } from '@postloop/db';
import type { Command } from 'commander';
import { withConnections } from '../connections.js';
import { requireClient } from '../customer-files/apply.js';
import { repeatExport } from '../operations/repeat-export.js';
import { pathsOf, runExport } from '../operations/run-export.js';
import { table } from '../support/format.js';
import { type Context, group, leaf, run } from '../support/leaf.js';
import { type ListOptions, listLimit, wholeNumber } from '../support/list-options.js';
import { Problem, parseId } from '../support/problem.js';
import { createQuietProgress } from '../support/progress.js';

interface RunOptions {
  wait: boolean;
  timeout: string;
}

export function addExportCommands(program: Command): void {
  const exports = group(program, 'export', 'response files');
  leaf(exports, 'run <client>', 'hand the news of a client back now', { connects: true, writes: true })
    .option('--no-wait', 'only ask for it')
    .option('--timeout <seconds>', 'how long to wait for it', '900')
    .action(run<RunOptions, [string]>(runNow));
  leaf(exports, 'repeat <ID>', 'write the files of a finished run once more, byte for byte', {
    connects: true,
    writes: true,
  })
    .option('--timeout <seconds>', 'how long to wait for it', '900')
    .action(run<Pick<RunOptions, 'timeout'>, [string]>(repeat));
  leaf(exports, 'list [client]', 'the newest runs', { connects: true })
    .option('--limit <number>', 'how many', '20')
    .action(run<ListOptions, [string | undefined]>(list));
}

const timeoutOf = ({ timeout }: Pick<RunOptions, 'timeout'>): number =>
  wholeNumber(timeout, '--timeout', 1, 86_400) * 1_000;

async function requireExportModule(sql: Parameters<typeof selectClientSettings>[0], clientId: bigint): Promise<void> {
  if ((await selectClientSettings(sql, clientId)).modules.export) return;
  throw new Problem(
    'the export module of this client is off',
    'Set "modules": {"export": true} in its client.json and apply it.',
  );
}

async function runNow({ out, options, dryRun, settings }: Context<RunOptions>, name: string) {
  const timeoutMs = timeoutOf(options);
  return withConnections(settings(), ['db', 'producer'], async ({ db, producer }) => {
    const client = await requireClient(db, name);
    await requireExportModule(db.pool, client.id);
    if (dryRun) {
      out.result({ dryRun, clientId: client.id }, `would export the news of "${client.name}"\n`);
      return 0;
    }
    if (!options.wait) {
      const enqueued = await producer.enqueue('responseExport', { v: 1, clientId: client.id, resume: false });
      out.result({ clientId: client.id, enqueued }, `asked for an export of "${client.name}"\n`);
      return enqueued ? 0 : 1;
    }
    createQuietProgress().step('exporting');
    const done = await runExport({ db, producer }, client.id, timeoutMs);
    const { text, ...facts } = describe(done);
    out.result(facts, text);
    return 0;
  });
}

async function repeat({ out, options, dryRun, settings }: Context<Pick<RunOptions, 'timeout'>>, text: string) {
  const id = parseId(text, 'an export');
  const timeoutMs = timeoutOf(options);
  return withConnections(settings(), ['db', 'producer'], async ({ db, producer }) => {
    const before = await selectExport(db.pool, id);
    if (!before) throw new Problem(`there is no export ${id}`, 'See `postloop export list`.');
    await requireExportModule(db.pool, before.clientId);
    if (dryRun) {
      out.result({ dryRun, id }, `would write the ${before.files.length} files of export ${id} again\n`);
      return 0;
    }
    createQuietProgress().step('exporting');
    const { run: done, changed } = await repeatExport({ db, producer }, before, timeoutMs);
    const verdict =
      changed.length === 0
        ? 'the same bytes as before\n'
        : `not the same as before: ${changed.join(', ')}. Data of recipients was erased or recycled since.\n`;
    const { text: files, ...facts } = describe(done);
    out.result({ ...facts, changed }, files + verdict);
    return 0;
  });
}

function describe(done: ExportRun) {
  const { id, clientId, day, runOfDay, status, files } = done;
  const paths = pathsOf(done);
  const rows = files.map((file, i) => [paths[i], file.rows, file.bytes]);
  return { id, clientId, day, runOfDay, status, files, paths, text: table(['file', 'rows', 'bytes'], rows) };
}

async function list({ out, options, settings }: Context<ListOptions>, name: string | undefined) {
  return withConnections(settings(), ['db'], async ({ db }) => {
    const client = name === undefined ? null : await requireClient(db, name);
    const runs = await selectExportSummaries(db.pool, client?.id ?? null, listLimit(options));
    out.result(
      runs,
      table(
        ['ID', 'client', 'day', 'run', 'status', 'rows', 'finished'],
        runs.map((one) => [
          one.id,
          one.clientName,
          one.day,
          one.runOfDay,
          one.status,
          one.files.reduce((sum, { rows }) => sum + rows, 0),
          one.finishedAt,
        ]),
        'no exports',
      ),
    );
    return 0;
  });
}
