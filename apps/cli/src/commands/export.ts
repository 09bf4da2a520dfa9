import { selectExportSummaries } from '@postloop/db';
import type { Command } from 'commander';
import { withConnections } from '../connections.js';
import { requireClient } from '../customer-files/apply.js';
import { pathsOf, runExport } from '../operations/run-export.js';
import { table } from '../support/format.js';
import { type Context, group, leaf, run } from '../support/leaf.js';
import { type ListOptions, listLimit, wholeNumber } from '../support/list-options.js';
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
  leaf(exports, 'list [client]', 'the newest runs', { connects: true })
    .option('--limit <number>', 'how many', '20')
    .action(run<ListOptions, [string | undefined]>(list));
}

async function runNow({ out, options, dryRun, settings }: Context<RunOptions>, name: string) {
  const timeoutMs = wholeNumber(options.timeout, '--timeout', 1, 86_400) * 1_000;
  return withConnections(settings(), ['db', 'producer'], async ({ db, producer }) => {
    const client = await requireClient(db, name);
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
    const paths = pathsOf(done);
    out.result(
      {
        id: done.id,
        clientId: client.id,
        day: done.day,
        runOfDay: done.runOfDay,
        status: done.status,
        files: done.files,
        paths,
      },
      table(
        ['file', 'rows', 'bytes'],
        done.files.map(({ rows, bytes }, i) => [paths[i], rows, bytes]),
      ),
    );
    return 0;
  });
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
