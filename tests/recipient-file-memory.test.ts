import { readFileSync } from 'node:fs';
import { platform } from 'node:os';
import { inboxPaths } from '@postloop/contracts';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { until } from './support/until.js';
import { addClient, nextName, openWorld, type TestClient, type World } from './support/world.js';

// bench/src/memory.ts does the same with a million rows.

let world: World;
beforeAll(async () => {
  world = await openWorld({ apps: ['sftp-ingest', 'importer'] });
});
afterAll(() => world[Symbol.asyncDispose]());

const BAD_EVERY = 100;
/** Rows of half a kilobyte, so that a file held in memory would be seen. */
const WIDE = 'x'.repeat(220);

function fileOf(client: TestClient, rows: number): Buffer {
  return Buffer.concat(
    Array.from({ length: rows }, (_, i) =>
      Buffer.from(
        `${i % BAD_EVERY === 0 ? 'nobody' : `p${i}@wide.example`};${client.sources[0]};;Ms;${WIDE};${WIDE}\n`,
      ),
    ),
  );
}

/** Imports a file with an importer of its own. @returns its peak resident memory in bytes */
async function peakOf(client: TestClient, rows: number): Promise<number> {
  await world.house.app('importer').stop();
  const importer = await world.house.start('importer');
  const name = nextName();
  await world.sftp.putAtomic(`${inboxPaths(client.directory, 'import').inbox}/${name}`, fileOf(client, rows));
  await world.producer.enqueue('inboxPoll', { v: 1, clientId: client.id });
  await until(
    `${rows} rows are stored`,
    async () => {
      const { rows: found } = await world.db.pool.query(
        `SELECT rows, queued, invalid FROM import WHERE file_name = $1 AND client_id = $2 AND status IN ('imported', 'failed')`,
        [name, client.id],
      );
      if (!found[0]) return undefined;
      const bad = rows / BAD_EVERY;
      expect(found[0]).toEqual({ rows: BigInt(rows), queued: BigInt(rows - bad), invalid: BigInt(bad) });
      return true;
    },
    240_000,
  );
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${importer.pid}/status`, 'utf8'))?.[1]) * 1024;
}

it('a file of any length takes the same memory, and each of its rows has a status', {
  timeout: 300_000,
}, async (context) => {
  if (platform() !== 'linux') return context.skip('the peak of a process is read from /proc');
  const client = await addClient(world, 'wide', [{}], { badRowShare: 0.02 });
  // Long enough that the heap has its full size: with 15,000 rows peaks were 130 to 151 MB.
  const small = await peakOf(client, 50_000);
  const large = await peakOf(client, 300_000);
  expect(large).toBeLessThan(300 * 2 ** 20);
  expect(large / small).toBeLessThan(1.2);
});
