import { describeFault } from '@postloop/contracts';
import { type ImportSummary, type MailingSummary, selectImportSummaries, selectMailingsOfImport } from '@postloop/db';
import type { Command } from 'commander';
import { withConnections } from '../connections.js';
import { requireClient } from '../customer-files/apply.js';
import { requireImport, restartImport } from '../operations/restart-import.js';
import { facts, table } from '../support/format.js';
import { type Context, group, leaf, run } from '../support/leaf.js';
import { type ListOptions, listLimit } from '../support/list-options.js';
import { parseId } from '../support/problem.js';

export function addImportCommands(program: Command): void {
  const imports = group(program, 'import', 'the runs of recipient files');
  leaf(imports, 'list', 'the newest imports', { connects: true })
    .option('--client <client>', 'only those of this client (name, directory or ID)')
    .option('--limit <number>', 'how many', '20')
    .action(run<ListOptions>(list));
  leaf(imports, 'show <ID>', 'one import: figures, faults, mailings', { connects: true }).action(run(show));
  leaf(imports, 'restart <ID>', 'try a failed import again', { connects: true, writes: true }).action(run(restart));
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

async function show({ out, settings }: Context<object>, text: string) {
  const id = parseId(text, 'an import');
  return withConnections(settings(), ['db'], async ({ db }) => {
    const row = await requireImport(db, id);
    const mailings = await selectMailingsOfImport(db.pool, id);
    out.result({ ...row, mailings }, describeImport(row, mailings));
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

async function restart({ out, dryRun, settings }: Context<object>, text: string) {
  const id = parseId(text, 'an import');
  return withConnections(settings(), ['db', 'producer', 'sftp'], async (opened) => {
    const done = await restartImport(opened, id, { dryRun });
    const what = {
      upload: `the file goes back to ${done.path}, and a poll is asked for: it is read anew`,
      start: 'its mailings are built again and started; the rows are kept',
    }[done.restarted];
    out.result({ id, dryRun, ...done }, `${dryRun ? 'would restart' : 'restarted'} import ${id}: ${what}\n`);
    return 0;
  });
}
