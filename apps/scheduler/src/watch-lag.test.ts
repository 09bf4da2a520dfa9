import { openTestDatabase } from '@postloop/db/testing';
import { Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { createMetrics } from './metrics.js';
import { stoppedClock } from './testing/scheduler-fixture.js';
import { watchLag } from './watch-lag.js';

it('tells what waits, and goes back to 0 when nothing does', async () => {
  await using opened = await openTestDatabase();
  const { db } = opened;
  const registry = new Registry();
  const clock = stoppedClock('2026-11-21T08:00:00Z');
  const figures = async () => {
    await watchLag({ db, clock, metrics: createMetrics(registry) });
    const text = await registry.metrics();
    registry.clear();
    const value = (series: string) =>
      Number(
        text
          .split('\n')
          .find((line) => line.startsWith(series))
          ?.split(' ')
          .at(-1),
      );
    return {
      import: Math.floor(value('postloop_oldest_waiting_seconds{work="file-import"}')),
      export: value('postloop_oldest_waiting_seconds{work="response-export"}'),
      claimed: value('postloop_open_imports{status="claimed"}'),
      late: value('postloop_exports{state="late"}'),
      due: value('postloop_exports{state="due"}'),
      measured: value('postloop_lag_measured_timestamp_seconds'),
    };
  };
  const nothing = { import: 0, export: 0, claimed: 0, late: 0, due: 0, measured: 1_795_248_000 };
  expect(await figures()).toEqual(nothing);

  await db.pool.query(`
    INSERT INTO client (id, name, directory) VALUES (1000, 'Acme', 'acme');
    INSERT INTO schedule (client_id, kind, cron, next_due_at) VALUES (1000, 'response_export', '0 4 * * *', now() - interval '16 min');
    INSERT INTO import (id, client_id, directory, file_name, size, modified_at, status, created_at)
      VALUES (2000, 1000, 'import', 'a.csv', 1, now(), 'claimed', now() - interval '90 s');`);
  expect(await figures()).toEqual({ ...nothing, import: 90, claimed: 1, late: 1 });

  await db.pool.query(`UPDATE import SET status = 'empty'; UPDATE schedule SET next_due_at = now() + interval '1 d'`);
  expect(await figures()).toEqual(nothing);
});
