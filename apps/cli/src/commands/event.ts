import { reclassifyEvents } from '@postloop/db';
import type { Command } from 'commander';
import { withConnections } from '../connections.js';
import { requireClient } from '../customer-files/apply.js';
import { table } from '../support/format.js';
import { type Context, group, leaf, run } from '../support/leaf.js';
import { Problem } from '../support/problem.js';

interface Options {
  client?: string;
  since?: string;
}

export function addEventCommands(program: Command): void {
  const event = group(program, 'event', 'opens, clicks and unsubscribes');
  leaf(event, 'reclassify', "judge stored events by today's rules; files that were exported stay as they are", {
    connects: true,
    writes: true,
  })
    .option('--client <client>', 'only those of this client (name, directory or ID)')
    .option('--since <date>', 'only those that happened then or later (2026-07-01, or an instant with its offset)')
    .action(run<Options>(reclassify));
}

async function reclassify({ out, options, dryRun, settings }: Context<Options>) {
  const since = options.since === undefined ? undefined : parseInstant(options.since);
  return withConnections(settings(), ['db'], async ({ db }) => {
    const client = options.client === undefined ? undefined : await requireClient(db, options.client);
    const told = await reclassifyEvents(db, {
      clientId: client?.id,
      since,
      dryRun,
      onBatch: ({ seen, changed }) => process.stderr.isTTY && out.note(`${seen} events seen, ${changed} changed`),
    });
    out.result(
      { dryRun, ...told },
      [
        `${told.seen} events seen, ${told.changed} ${dryRun ? 'would change' : 'changed'}\n`,
        ...(told.changes.length === 0
          ? []
          : [
              table(
                ['what', 'was', 'is', 'events'],
                told.changes.map(({ field, from, to, events }) => [field, from || '-', to || '-', events]),
              ),
            ]),
      ].join('\n'),
    );
    return 0;
  });
}

/** A day begins at midnight UTC. @throws Problem */
function parseInstant(text: string): Date {
  const day = /^\d{4}-\d\d-\d\d$/.test(text);
  const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/.test(text);
  const date = new Date(text);
  // 2026-02-30 would be taken for the 2nd of March.
  const exists = day
    ? !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text)
    : !Number.isNaN(date.getTime());
  if ((day || instant) && exists) return date;
  throw new Problem(`--since ${text} is no date`, 'Write 2026-07-01, or 2026-07-01T09:00:00+02:00.', 2);
}
