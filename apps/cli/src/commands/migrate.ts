import { deployMigrations, pendingMigrations } from '@postloop/db';
import { parseConfig } from '@postloop/service-kit';
import type { Command } from 'commander';
import { z } from 'zod';
import { configGroups, type Settings } from '../config.js';
import { explainDatabaseError } from '../explain.js';
import { makeMigration } from '../operations/make-migration.js';
import { type Context, group, leaf, run } from '../support/leaf.js';
import { Problem } from '../support/problem.js';

export function addMigrateCommands(program: Command): void {
  const migrate = group(program, 'migrate', 'the tables of the database');
  leaf(migrate, 'deploy', 'bring the database up to date', { connects: true, writes: true }).action(run(deploy));
  leaf(migrate, 'status', 'what is missing; exit code 1 when anything is', { connects: true }).action(run(status));
  leaf(migrate, 'new <name>', 'write what changed in prisma/schema.prisma as a migration (for developers)', {
    writes: true,
  }).action(run(begin));
}

const schema = z.object({ ...configGroups.database, QUEUE_BACKEND: configGroups.queue.QUEUE_BACKEND });

async function deploy({ out, dryRun, settings }: Context<object>) {
  const config = parseConfig(schema, settings().env);
  const url = config.DATABASE_URL;
  const applied = await asked(settings(), () => (dryRun ? pendingMigrations(url) : deployMigrations(url)), url);
  if (!dryRun && config.QUEUE_BACKEND === 'postgres') {
    const { prepareQueueBackend } = await import('@postloop/queue');
    await prepareQueueBackend({ backend: 'postgres', url, prefix: 'postloop' });
  }
  const what = applied.length === 0 ? 'the database is up to date' : applied.join('\n');
  out.result({ dryRun, applied }, `${applied.length > 0 ? (dryRun ? 'would apply\n' : 'applied\n') : ''}${what}\n`);
  return 0;
}

async function status({ out, settings }: Context<object>) {
  const url = parseConfig(schema, settings().env).DATABASE_URL;
  const pending = await asked(settings(), () => pendingMigrations(url), url);
  out.result(
    { upToDate: pending.length === 0, pending },
    pending.length === 0
      ? 'the database is up to date\n'
      : `missing: ${pending.join(', ')}\nApply them with \`postloop migrate deploy\`.\n`,
  );
  return pending.length === 0 ? 0 : 1;
}

async function asked<T>(settings: Settings, ask: () => Promise<T>, url: string): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    // What the migrations themselves say stands for itself; the rest is about the way to the database.
    if (error instanceof Error && error.message.startsWith('migration ')) throw error;
    const { found, remedy } = explainDatabaseError(error, url);
    throw new Problem(found, settings.local ? `${remedy} The settings come from ${settings.source}.` : remedy, 1, {
      cause: error,
    });
  }
}

async function begin({ out, dryRun }: Context<object>, name: string) {
  const made = await makeMigration(name, new Date(), { dryRun });
  out.result({ dryRun, ...made }, `${dryRun ? 'would make' : 'made'} ${made.file}\n\n${made.sql}`);
  return 0;
}
