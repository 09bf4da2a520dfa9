import { describeFault } from '@postloop/contracts';
import {
  type ImportSummary,
  type MailingSummary,
  selectHalts,
  selectImportSummaries,
  selectMailingsOfImport,
} from '@postloop/db';
import type { Command } from 'commander';
import { withConnections } from '../connections.js';
import { requireClient } from '../customer-files/apply.js';
import { parseRowStatus, printImportRows } from '../operations/print-import-rows.js';
import { orderRestart, requireImport, restart, skip } from '../operations/restart-import.js';
import { facts, table } from '../support/format.js';
import { describeHalts } from '../support/halts.js';
import { type Context, group, leaf, run } from '../support/leaf.js';
import { type ListOptions, listLimit } from '../support/list-options.js';
import { parseId } from '../support/problem.js';

export function addImportCommands(program: Command): void {
  const imports = group(program, 'import', 'the runs of recipient files');
  leaf(imports, 'list', 'the newest imports', { connects: true })
    .option('--client <client>', 'only those of this client (name, directory or ID)')
    .option('--limit <number>', 'how many', '20')
    .action(run<ListOptions>(list));
  leaf(imports, 'show <ID>', 'one import: figures, faults, mailings', { connects: true })
    .option('--rows [status]', 'instead, what became of each row of its file, or of those with a status')
    .action(run<ShowOptions, [string]>(show));
  leaf(imports, 'poll <client>', "look at a client's inboxes now", { connects: true }).action(run(poll));
  leaf(imports, 'halted', 'directories that stopped after an error', { connects: true })
    .option('--client <client>', 'only those of this client (name, directory or ID)')
    .action(run<Pick<ListOptions, 'client'>>(listHalted));
  leaf(imports, 'restart <ID>', 'try a failed import again', { connects: true, writes: true })
    .option('--rows <file>', 'corrected rows in place of rejected ones: line;<columns as in the file>')
    .action(run<RestartOptions, [string]>(restartOne));
  leaf(imports, 'skip <ID>', 'give a failed import up: its directory goes on without it', {
    connects: true,
    writes: true,
  }).action(run(skipOne));
}

interface ShowOptions {
  rows?: string | true;
}

interface RestartOptions {
  rows?: string;
}

async function list({ out, options, settings }: Context<ListOptions>) {
  return withConnections(settings(), ['db'], async ({ db }) => {
    const client = options.client === undefined ? null : await requireClient(db, options.client);
    const rows = await selectImportSummaries(db.pool, client?.id ?? null, listLimit(options));
    out.result(
      rows,
      table(
        ['ID', 'client', 'directory', 'file', 'status', 'rows', 'begun'],
        rows.map((one) => [one.id, one.clientName, one.directory, one.fileName, one.status, one.rows, one.createdAt]),
        'no imports',
      ),
    );
    return 0;
  });
}

async function show({ out, options, settings }: Context<ShowOptions>, text: string) {
  const id = parseId(text, 'an import');
  const rows = options.rows === undefined ? undefined : parseRowStatus(options.rows);
  return withConnections(settings(), ['db'], async ({ db }) => {
    const row = await requireImport(db, id);
    if (rows !== undefined) {
      await printImportRows(db, id, rows, out.json);
      return 0;
    }
    const mailings = await selectMailingsOfImport(db.pool, id);
    const halts = (await selectHalts(db.pool, row.clientId)).filter(({ importId }) => importId === id);
    const text = [describeImport(row, mailings), ...(halts.length > 0 ? [describeHalts(halts)] : [])].join('\n');
    out.result({ ...row, mailings, halted: halts.length > 0 }, text);
    return 0;
  });
}

/** Everything about an import, for a person. */
export function describeImport(row: ImportSummary, mailings: readonly MailingSummary[]): string {
  const parts = [
    facts([
      ['import', row.id],
      ['client', row.clientName],
      ['file', `${row.directory}/${row.fileName} (${row.size} bytes)`],
      ['status', row.status],
      ['rows', `${row.rows} (${row.blankLines} blank lines skipped)`],
      ['queued', row.queued],
      ['suppressed', row.suppressed],
      ['invalid', row.invalid],
      ['duplicate', row.duplicate],
      ['begun', row.createdAt],
      ['changed', row.changedAt],
    ]),
  ];
  if (row.faults)
    parts.push(
      table(
        ['fault'],
        row.faults.map((fault) => [describeFault(fault)]),
      ),
    );
  if (mailings.length > 0)
    parts.push(
      table(
        ['mailing', 'source mailing', 'status', 'recipients', 'done'],
        mailings.map(({ id, name, status, recipients, done }) => [id, name, status, recipients, done]),
      ),
    );
  return parts.join('\n');
}

async function poll({ out, settings }: Context<object>, name: string) {
  return withConnections(settings(), ['db', 'producer'], async ({ db, producer }) => {
    const client = await requireClient(db, name);
    const polled = await producer.enqueue('inboxPoll', { v: 1, clientId: client.id });
    out.result({ clientId: client.id, polled }, `a poll of ${client.name} is asked for\n`);
    return polled ? 0 : 1;
  });
}

async function listHalted({ out, options, settings }: Context<Pick<ListOptions, 'client'>>) {
  return withConnections(settings(), ['db'], async ({ db }) => {
    const client = options.client === undefined ? null : await requireClient(db, options.client);
    const halts = await selectHalts(db.pool, client?.id ?? null);
    out.result(halts, describeHalts(halts));
    return 0;
  });
}

async function restartOne({ out, options, dryRun, settings }: Context<RestartOptions>, text: string) {
  const id = parseId(text, 'an import');
  const { rows } = options;
  if (rows !== undefined)
    return withConnections(settings(), ['db', 'producer', 'sftp'], async (opened) => {
      const path = await orderRestart(opened, id, rows, { dryRun });
      const what = `uploaded as ${path}; the import goes on with the corrected rows`;
      out.result({ id, dryRun, path }, `${rows} ${dryRun ? 'would be ' : 'is '}${what}\n`);
      return 0;
    });
  return withConnections(settings(), ['db', 'producer'], async (opened) => {
    const restarted = await restart(opened, id, { dryRun });
    const what = {
      upload: 'its file is read again from failed/',
      start: 'its mailings are built again and started; the rows are kept',
    }[restarted];
    out.result({ id, dryRun, restarted }, `${dryRun ? 'would restart' : 'restarted'} import ${id}: ${what}\n`);
    return 0;
  });
}

async function skipOne({ out, dryRun, settings }: Context<object>, text: string) {
  const id = parseId(text, 'an import');
  return withConnections(settings(), ['db', 'producer'], async (opened) => {
    const { directory, clientName } = await skip(opened, id, { dryRun });
    const what = `${directory}/ of ${clientName} ${dryRun ? 'would go' : 'goes'} on without it`;
    out.result({ id, dryRun, directory }, `import ${id} stays failed; ${what}\n`);
    return 0;
  });
}
