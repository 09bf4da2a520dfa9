import {
  type Database,
  type MailingOrder,
  type MailingSummary,
  mailingOrders,
  orderMailing,
  selectMailingEventCounts,
  selectMailingStatusCounts,
  selectMailingSummaries,
  selectMailingSummary,
} from '@postloop/db';
import type { Command } from 'commander';
import { withConnections } from '../connections.js';
import { requireClient } from '../customer-files/apply.js';
import { facts, table } from '../support/format.js';
import { type Context, group, leaf, run } from '../support/leaf.js';
import { type ListOptions, listLimit } from '../support/list-options.js';
import { Problem, parseId } from '../support/problem.js';
import { addResendCommand } from './resend.js';

const ORDERS: Record<MailingOrder, string> = {
  pause: 'stop sending for now; what is in flight is still handed over',
  resume: 'go on sending a paused mailing',
  cancel: 'stop sending for good; those that were not sent to are cancelled',
};

export function addMailingCommands(program: Command): void {
  const mailing = group(program, 'mailing', 'the sent copies of source mailings');
  leaf(mailing, 'list', 'the newest mailings', { connects: true })
    .option('--client <client>', 'only those of this client (name, directory or ID)')
    .option('--limit <number>', 'how many', '20')
    .action(run<ListOptions>(list));
  leaf(mailing, 'show <ID>', 'one mailing: recipients by status, responses', { connects: true }).action(run(show));
  for (const [order, description] of Object.entries(ORDERS) as [MailingOrder, string][])
    leaf(mailing, `${order} <ID>`, description, { connects: true, writes: true }).action(
      run((context, id: string) => give(order, context, id)),
    );
  addResendCommand(mailing);
}

async function list({ out, options, settings }: Context<ListOptions>) {
  return withConnections(settings(), ['db'], async ({ db }) => {
    const client = options.client === undefined ? null : await requireClient(db, options.client);
    const rows = await selectMailingSummaries(db.pool, client?.id ?? null, listLimit(options));
    out.result(
      rows,
      table(
        ['ID', 'client', 'source mailing', 'file', 'status', 'recipients', 'done', 'started', 'sends at'],
        rows.map((one) => [
          one.id,
          one.clientName,
          one.name,
          one.fileName,
          one.test ? `${one.status} (test)` : one.status,
          one.recipients,
          one.done,
          one.startedAt,
          one.sendAt,
        ]),
        'no mailings',
      ),
    );
    return 0;
  });
}

async function show({ out, settings }: Context<object>, text: string) {
  const id = parseId(text, 'a mailing');
  return withConnections(settings(), ['db'], async ({ db }) => {
    const mailing = await requireMailing(db, id);
    const statuses = await selectMailingStatusCounts(db.pool, id);
    const events = await selectMailingEventCounts(db.pool, id);
    out.result(
      { ...mailing, statuses, events },
      [
        facts([
          ['mailing', mailing.id],
          ['client', mailing.clientName],
          ['source mailing', `${mailing.name} (${mailing.sourceMailingId})`],
          ['import', `${mailing.importId} (${mailing.fileName})`],
          ['test', mailing.test],
          ['status', mailing.status],
          ['sends at', mailing.sendAt],
          ['started', mailing.startedAt],
          ['finished', mailing.finishedAt],
        ]),
        table(['status', 'rows'], Object.entries(statuses)),
        table(['event', 'count'], Object.entries(events)),
      ].join('\n'),
    );
    return 0;
  });
}

async function requireMailing({ pool }: Database, id: bigint): Promise<MailingSummary> {
  const mailing = await selectMailingSummary(pool, id);
  if (!mailing) throw new Problem(`there is no mailing ${id}`, 'See `postloop mailing list`.');
  return mailing;
}

async function give(order: MailingOrder, { out, dryRun, settings }: Context<object>, text: string) {
  const id = parseId(text, 'a mailing');
  const { from, to } = mailingOrders[order];
  return withConnections(settings(), ['db', 'producer'], async ({ db, producer }) => {
    const { status } = await requireMailing(db, id);
    const ordered = dryRun || !from.includes(status) ? undefined : await orderMailing(db, id, order);
    const before = ordered?.before ?? status;
    if (!from.includes(before))
      throw new Problem(
        `mailing ${id} is ${before}`,
        `Only a mailing that is ${from.join(' or ')} can be told to ${order}.`,
      );
    const after = ordered?.after ?? to;
    await producer.enqueueAll('mailSend', ordered?.batches.map((batch) => ({ v: 1 as const, ...batch })) ?? []);
    out.result(
      { id, dryRun, before, after },
      `mailing ${id} ${dryRun ? 'would be' : 'is'} ${after} (it was ${before})\n`,
    );
    return 0;
  });
}
