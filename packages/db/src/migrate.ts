import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';

/** Prisma's own migrations lock, so that `prisma migrate` elsewhere and this one exclude each other. */
const MIGRATE_LOCK = 72707369;
const DEFAULT_FOLDER = fileURLToPath(new URL('../../../prisma/migrations', import.meta.url));

/**
 * Applies the migrations that are missing, each whole or not at all, and records them in Prisma's table
 * `_prisma_migrations`. (Prisma's schema engine, a binary that is downloaded at install time, does the same.) Apps may run
 * meanwhile: a migration that meets their transactions head on gives way and is tried again.
 * @returns the names of those applied
 * @throws when an applied migration was changed afterwards or an earlier one failed half way
 */
export async function deployMigrations(databaseUrl: string, folder = DEFAULT_FOLDER): Promise<string[]> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query('SELECT pg_advisory_lock($1)', [MIGRATE_LOCK]);
    await client.query(`SET lock_timeout = ${LOCK_TIMEOUT_MS}`);
    await client.query(CREATE_TABLE);
    const done = await recorded(client);
    const applied: string[] = [];
    for (const migration of readMigrations(folder)) {
      const earlier = done.get(migration.name);
      if (earlier === undefined) {
        await apply(client, migration);
        applied.push(migration.name);
      } else if (earlier !== migration.checksum) {
        throw new Error(`migration ${migration.name} was changed after it was applied: restore it and add a new one`);
      }
    }
    return applied;
  } finally {
    await client.end(); // releases the lock
  }
}

/** The names of migrations that the database does not have yet. Empty when it is up to date. */
export async function pendingMigrations(databaseUrl: string, folder = DEFAULT_FOLDER): Promise<string[]> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const { rows } = await client.query<{ exists: boolean }>(
      `SELECT to_regclass('_prisma_migrations') IS NOT NULL AS exists`,
    );
    const done = rows[0]?.exists ? await recorded(client) : new Map<string, string>();
    return readMigrations(folder)
      .map(({ name }) => name)
      .filter((name) => !done.has(name));
  } finally {
    await client.end();
  }
}

interface Migration {
  name: string;
  sql: string;
  checksum: string;
}

function readMigrations(folder: string): Migration[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort()
    .map((name) => {
      const sql = readFileSync(`${folder}/${name}/migration.sql`, 'utf8');
      return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') };
    });
}

async function recorded(client: pg.Client): Promise<Map<string, string>> {
  const { rows } = await client.query<{ name: string; checksum: string; finished: boolean }>(
    `SELECT migration_name AS name, checksum, finished_at IS NOT NULL AS finished
       FROM _prisma_migrations WHERE rolled_back_at IS NULL`,
  );
  const broken = rows.find((row) => !row.finished);
  if (broken) throw new Error(`migration ${broken.name} failed half way: resolve it with prisma migrate resolve`);
  return new Map(rows.map((row) => [row.name, row.checksum]));
}

/** All that asks for a table queues up behind a migration that waits for it: not longer than this at a time. */
const LOCK_TIMEOUT_MS = 2_000;
const TRIES = 30;
const PAUSE_MS = 500;
const GAVE_WAY = new Set(['40P01', '55P03']); // deadlock_detected, lock_not_available

/** Statements sent in one simple query are one implicit transaction: the migration and its record commit together. */
async function apply(client: pg.Client, { name, sql, checksum }: Migration): Promise<void> {
  const record = `INSERT INTO _prisma_migrations (id, checksum, migration_name, started_at, finished_at, applied_steps_count)
    VALUES (gen_random_uuid()::text, ${client.escapeLiteral(checksum)}, ${client.escapeLiteral(name)}, now(), now(), 1)`;
  for (let left = TRIES - 1; ; left -= 1) {
    try {
      await client.query(`${sql}\n;\n${record}`);
      return;
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      if (left === 0 || !('code' in error && GAVE_WAY.has(String(error.code))))
        throw new Error(`migration ${name} failed and was rolled back: ${error.message}`, { cause: error });
      await pause(PAUSE_MS);
    }
  }
}

const CREATE_TABLE = `CREATE TABLE IF NOT EXISTS _prisma_migrations (
  id                  varchar(36) PRIMARY KEY NOT NULL,
  checksum            varchar(64) NOT NULL,
  finished_at         timestamptz,
  migration_name      varchar(255) NOT NULL,
  logs                text,
  rolled_back_at      timestamptz,
  started_at          timestamptz NOT NULL DEFAULT now(),
  applied_steps_count integer NOT NULL DEFAULT 0
)`;
