import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Problem } from '../support/problem.js';
import { diffSchemas } from './schema-diff.js';

const PRISMA = fileURLToPath(new URL('../../../../prisma', import.meta.url));
const SCHEMA = 'schema.prisma';

export interface Migration {
  name: string;
  file: string;
  sql: string;
}

/**
 * Makes `migrations/YYYYMMDDHHMMSS_name/` in the folder of schema.prisma: `migration.sql`, the difference between that schema
 * and the one beside the newest migration, and `schema.prisma`, for the next one.
 * @throws Problem
 */
export async function makeMigration(
  name: string,
  now: Date,
  { dryRun, folder = PRISMA }: { dryRun: boolean; folder?: string },
): Promise<Migration> {
  if (!/^[a-z][a-z0-9_]{0,60}$/.test(name))
    throw new Problem(`"${name}" is no name for a migration`, 'Use lower-case letters, digits and "_".', 2);
  const newest = newestMigration(folder);
  const full = `${timeAfter(newest, now)}_${name}`;
  const schema = readSchema(join(folder, SCHEMA));
  const last = readSchema(join(folder, 'migrations', newest, SCHEMA));
  const sql = `${RULES}\n${(await diffSchemas(last, schema)) ?? NOTHING_NEW}`;
  const target = join(folder, 'migrations', full);
  const file = join(target, 'migration.sql');
  if (!dryRun) {
    mkdirSync(target);
    writeFileSync(file, sql);
    writeFileSync(join(target, SCHEMA), schema);
  }
  return { name: full, file, sql };
}

function newestMigration(folder: string): string {
  const migrations = join(folder, 'migrations');
  const found = existsSync(migrations) ? readdirSync(migrations, { withFileTypes: true }) : [];
  const newest = found
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort()
    .at(-1);
  if (newest !== undefined) return newest;
  throw new Problem(`there are no migrations in ${migrations}`, 'Make migrations in a checkout of the project.', 2);
}

/** Migrations apply in the order of their names: `YYYYMMDDHHMMSS` of now, or of the second after the newest one. */
function timeAfter(newest: string, now: Date): string {
  const [, date = '', time = ''] = /^(\d{8})(\d{6})/.exec(newest) ?? [];
  const iso = `${date.replace(/(....)(..)/, '$1-$2-')}T${time.replace(/(..)(..)/, '$1:$2:')}Z`;
  const next = new Date(Date.parse(iso) + 1_000);
  return (next > now ? next : now).toISOString().replace(/\D/g, '').slice(0, 14);
}

function readSchema(file: string): string {
  if (existsSync(file)) return readFileSync(file, 'utf8');
  throw new Problem(
    `there is no ${file}`,
    'It is schema.prisma as that migration left it: put it there first. Else its changes would be made again.',
  );
}

const RULES = `-- Made from prisma/schema.prisma; add what that cannot say (partitions, partial indexes, functions). The file runs as one
-- transaction, so nothing that refuses one (CREATE INDEX CONCURRENTLY) can stand here. Once applied it is never edited.
`;
const NOTHING_NEW = '-- prisma/schema.prisma says nothing new: write what changes.\n';
