import {
  addSuppressions,
  removeSuppressions,
  type SuppressionReason,
  selectSuppressions,
  suppressionProblem,
  suppressionReasons,
} from '@postloop/db';
import { type Command, Option } from 'commander';
import { withConnections } from '../connections.js';
import { requireClient } from '../customer-files/apply.js';
import {
  checkSuppressionFile,
  importSuppressionFile,
  suppressionPages,
  writeSuppressionFile,
} from '../operations/suppression-file.js';
import { table } from '../support/format.js';
import { type Context, group, type LeafKind, leaf, run } from '../support/leaf.js';
import { listLimit } from '../support/list-options.js';
import { Problem } from '../support/problem.js';
import { createQuietProgress } from '../support/progress.js';

interface Options {
  client: string;
  reason?: SuppressionReason;
}

interface ListOptions extends Options {
  limit: string;
}

const ENTRY = 'an address, or a pattern with * (any text) and ? (one character)';

export function addSuppressionCommands(program: Command): void {
  const suppression = group(program, 'suppression', 'whom a client does not mail');
  const command = (usage: string, description: string, reason: string, kind: LeafKind) =>
    leaf(suppression, usage, description, { connects: true, ...kind })
      .requiredOption('--client <client>', 'whose list (name, directory or ID)')
      .addOption(new Option('--reason <reason>', reason).choices(suppressionReasons));
  const writes = { writes: true };

  command('list', 'the entries, by address', 'only those for this reason', {})
    .option('--limit <number>', 'how many', '100')
    .action(run<ListOptions>(list));
  command(
    'add <entries...>',
    `stop mails, running mailings too: ${ENTRY}`,
    'why (default: blacklisted)',
    writes,
  ).action(run<Options, [string[]]>(add));
  command('remove <entries...>', 'mail again', 'only where this is the reason (default: all)', writes).action(
    run<Options, [string[]]>(remove),
  );
  command(
    'import <file>',
    `add a file: ${ENTRY}; reason`,
    'of entries without one (default: blacklisted)',
    writes,
  ).action(run<Options, [string]>(importFile));
  command('export <file>', 'write a file that `import` reads', 'only those for this reason', {}).action(
    run<Options, [string]>(exportFile),
  );
}

async function list({ out, options, settings }: Context<ListOptions>) {
  const limit = listLimit(options);
  return withConnections(settings(), ['db'], async ({ db }) => {
    const client = await requireClient(db, options.client);
    const { reason } = options;
    const page = { limit: limit + 1, ...(reason === undefined ? {} : { reason }) };
    const found = await selectSuppressions(db.pool, client.id, page);
    const shown = found.slice(0, limit);
    out.result(
      shown,
      table(
        ['entry', 'reason', 'since', 'by mailing'],
        shown.map((one) => [one.entry, one.reason, one.createdAt, one.mailingId]),
        'nobody',
      ),
    );
    if (found.length > limit) out.note(`There are more: see --limit, or \`postloop suppression export\`.`);
    return 0;
  });
}

async function add({ out, options, dryRun, settings }: Context<Options>, entries: string[]) {
  const { reason = 'blacklisted' } = options;
  const lines = entries.map((entry) => ({ entry, reason }));
  for (const line of lines) {
    const problem = suppressionProblem(line);
    if (problem !== null) throw new Problem(`"${line.entry}" ${problem}`, `Give ${ENTRY}.`, 2);
  }
  return withConnections(settings(), ['db'], async ({ db }) => {
    const client = await requireClient(db, options.client);
    const { added, known } = dryRun ? { added: lines.length, known: 0 } : await addSuppressions(db, client.id, lines);
    out.result(
      { dryRun, clientId: client.id, added, known },
      dryRun ? `would add ${added} to "${client.name}"\n` : `added ${added} to "${client.name}" (${known} known)\n`,
    );
    return 0;
  });
}

async function remove({ out, options, dryRun, settings }: Context<Options>, entries: string[]) {
  return withConnections(settings(), ['db'], async ({ db }) => {
    const client = await requireClient(db, options.client);
    if (dryRun) {
      out.result({ dryRun, clientId: client.id }, `would remove ${entries.length} from "${client.name}"\n`);
      return 0;
    }
    const removed = await removeSuppressions(db, client.id, entries, options.reason);
    out.result({ dryRun, clientId: client.id, removed }, `removed ${removed} from "${client.name}"\n`);
    return 0;
  });
}

async function importFile({ out, options, dryRun, settings }: Context<Options>, file: string) {
  const entries = await checkSuppressionFile(file, options.reason);
  return withConnections(settings(), ['db'], async ({ db }) => {
    const client = await requireClient(db, options.client);
    if (dryRun) {
      out.result({ dryRun, clientId: client.id, entries }, `would add ${entries} entries to "${client.name}"\n`);
      return 0;
    }
    const bar = createQuietProgress().bar('importing');
    const done = await importSuppressionFile(db, client.id, file, options.reason, (count) => bar(count, entries));
    out.result(
      { dryRun, clientId: client.id, entries, ...done },
      `added ${done.added} of ${entries} entries to "${client.name}" (${done.known} known)\n`,
    );
    return 0;
  });
}

async function exportFile({ out, options, settings }: Context<Options>, file: string) {
  return withConnections(settings(), ['db'], async ({ db }) => {
    const client = await requireClient(db, options.client);
    const entries = await writeSuppressionFile(file, suppressionPages(db, client.id, options.reason));
    out.result({ clientId: client.id, file, entries }, `wrote ${entries} entries of "${client.name}" to ${file}\n`);
    return 0;
  });
}
