import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { PrismaClient } from './generated/client.js';
import { LOOKUPS_BY_KEY, suppressionSettings, withSettings } from './session-url.js';
import type { Sql } from './sql.js';
import { parseTextArray } from './text-array.js';

/** One pool; Prisma and plain SQL share it. */
export interface Database extends AsyncDisposable {
  pool: pg.Pool;
  prisma: PrismaClient;
  /** Runs `work` in a transaction: commits when it resolves, rolls back when it throws. */
  transaction<T>(work: (sql: Sql, client: pg.PoolClient) => Promise<T>): Promise<T>;
  /** Rejects when the database does not answer. */
  ping(): Promise<void>;
}

const INT8 = 20;
const INT8_ARRAY = 1016;
const TEXT_ARRAY = 1009;

// IDs are 64 bits wide: never a JavaScript number.
const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') => {
    if (oid === INT8) return BigInt;
    if (oid === INT8_ARRAY) return parseInt8Array;
    if (oid === TEXT_ARRAY && format !== 'binary') return parseTextArray;
    return format === 'binary' ? pg.types.getTypeParser(oid, 'binary') : pg.types.getTypeParser(oid, 'text');
  }) as typeof pg.types.getTypeParser,
};

function parseInt8Array(text: string): bigint[] {
  const inner = text.slice(1, -1);
  return inner === '' ? [] : inner.split(',').map(BigInt);
}

export interface DatabaseOptions {
  url: string;
  poolMax: number;
  onError: (error: Error) => void;
  /** Finds erased addresses again; needed as soon as one was erased that a client must not mail. */
  suppressionKey?: Buffer | undefined;
  /** A process that stands still inside a transaction keeps its locks so long, in milliseconds; then PostgreSQL ends it. Default 300,000. */
  idleInTransactionMs?: number;
  /** All that this process asks for is a few rows by their keys. */
  lookupsByKey?: boolean;
}

export function openDatabase(options: DatabaseOptions): Database {
  const pool = new pg.Pool({
    connectionString: withSettings(options.url, {
      ...suppressionSettings(options.suppressionKey),
      ...(options.lookupsByKey ? LOOKUPS_BY_KEY : {}),
    }),
    max: options.poolMax,
    types,
    connectionTimeoutMillis: 10_000,
    idle_in_transaction_session_timeout: options.idleInTransactionMs ?? 300_000,
  });
  pool.on('error', options.onError); // an idle connection was cut: the pool opens another
  // One that is in use, too: its queries reject, but pg also emits `error`, which would end the process.
  pool.on('connect', (client) => client.on('error', options.onError));
  const prisma = new PrismaClient({ adapter: new PrismaPg(pool) });
  return {
    pool,
    prisma,
    transaction: (work) => inTransaction(pool, work),
    async ping() {
      await pool.query('SELECT 1');
    },
    async [Symbol.asyncDispose]() {
      await prisma.$disconnect();
      if (!pool.ended) await pool.end();
    },
  };
}

async function inTransaction<T>(pool: pg.Pool, work: (sql: Sql, client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query('BEGIN');
    const result = await work(client, client);
    await client.query('COMMIT');
    return result;
  } catch (error) {
    await client.query('ROLLBACK').catch((rollbackError: Error) => {
      broken = rollbackError;
    });
    throw error;
  } finally {
    client.release(broken);
  }
}
