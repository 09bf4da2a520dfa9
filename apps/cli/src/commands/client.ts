import {
  selectClients,
  selectHalts,
  selectOptionalClient,
  selectSchedulesOfClient,
  selectSourceMailingSummaries,
} from '@postloop/db';
import type { Command } from 'commander';
import { withConnections } from '../connections.js';
import { applyClient, checkApplicable, requireClient } from '../customer-files/apply.js';
import { clientFilePath, readClientFile } from '../customer-files/client-file.js';
import { facts, table } from '../support/format.js';
import { describeHalts } from '../support/halts.js';
import { type Context, group, leaf, run } from '../support/leaf.js';

export function addClientCommands(program: Command): void {
  const client = group(program, 'client', 'clients (tenants), their schedules and master lists');
  leaf(
    client,
    'apply <path>',
    'make or change the client that a client.json describes (file, or the folder it is in)',
    {
      writes: true,
      connects: true,
    },
  ).action(run(apply));
  leaf(client, 'list', 'all clients', { connects: true }).action(run(list));
  leaf(client, 'show <client>', 'one client, by name, directory or ID', { connects: true }).action(run(show));
}

async function apply({ out, dryRun, settings }: Context<object>, path: string) {
  const file = readClientFile(path);
  return withConnections(settings(), ['db'], async ({ db }) => {
    const before = await checkApplicable(db, file);
    const action = before ? 'change' : 'make';
    const { name, directory, masterList } = file;
    if (dryRun) {
      const columns = masterList.fields.length;
      out.result(
        { dryRun: true, action, name, directory, columns },
        `would ${action} the client "${name}" (directory ${directory}, ${columns} columns) as ${clientFilePath(path)} says\n`,
      );
      return 0;
    }
    const { id, listId } = await applyClient(db, file);
    out.result(
      { action, id, name, directory, masterListId: listId, columns: masterList.fields.length },
      facts([
        ['client', `${name} (${before ? 'changed' : 'made'})`],
        ['ID', id],
        ['directory', directory],
        ['master list', `${masterList.name} (${listId}), ${masterList.fields.length} columns`],
      ]),
    );
    return 0;
  });
}

async function list({ out, settings }: Context<object>) {
  return withConnections(settings(), ['db'], async ({ db }) => {
    const clients = await selectClients(db.pool);
    out.result(
      clients,
      table(
        ['ID', 'name', 'directory', 'time zone', 'source mailings', 'imports'],
        clients.map((one) => [one.id, one.name, one.directory, one.timeZone, one.sourceMailings, one.imports]),
        'no clients; make one with `postloop client apply FOLDER`',
      ),
    );
    return 0;
  });
}

async function show({ out, settings }: Context<object>, name: string) {
  return withConnections(settings(), ['db'], async ({ db }) => {
    const { list: masterList, ...summary } = await requireClient(db, name);
    const client = await selectOptionalClient(db, summary.id);
    const schedules = await selectSchedulesOfClient(db.pool, summary.id);
    const sources = await selectSourceMailingSummaries(db.pool, summary.id);
    const halts = await selectHalts(db.pool, summary.id);
    out.result(
      { ...summary, ...client, masterList, schedules, halts, sources },
      [
        facts([
          ['client', summary.name],
          ['ID', summary.id],
          ['directory', summary.directory],
          ['time zone', summary.timeZone],
          ['bad rows allowed', `${(client?.badRowShare ?? 0) * 100} %`],
          ['mails left unknown', client?.unknownPolicy],
        ]),
        table(
          ['column', 'field', 'type', 'required', 'role'],
          masterList.fields.map(({ ordinal, name: field, type, length, required, role }) => [
            ordinal,
            field,
            length === null ? type : `${type}(${length})`,
            required,
            role,
          ]),
        ),
        table(
          ['schedule', 'cron', 'next', 'last'],
          schedules.map(({ kind, cron, nextDueAt, lastRunAt }) => [kind, cron, nextDueAt, lastRunAt]),
        ),
        describeHalts(halts),
        table(
          ['BROADMAIL_ID', 'source mailing', 'status'],
          sources.map(({ id, name: source, status }) => [id, source, status]),
          'no source mailings',
        ),
      ].join('\n'),
    );
    return 0;
  });
}
