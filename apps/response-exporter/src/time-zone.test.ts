import { expect, test } from 'vitest';
import { ANNA, makeEvent, recordEvents } from './testing/finished-mailing.js';
import { useExporter } from './testing/use-exporter.js';

const exporter = await useExporter();
const { fixture, run } = exporter;

/** Of every session in the pool. */
async function zonesOfSessions(): Promise<string[]> {
  const clients = await Promise.all(
    Array.from({ length: exporter.db.pool.options.max }, () => exporter.db.pool.connect()),
  );
  const zones = clients.map(async (client) => {
    const { rows } = await client.query<{ TimeZone: string }>('SHOW TimeZone');
    client.release();
    return rows[0]?.TimeZone ?? '';
  });
  return Promise.all(zones);
}

test('the zone of a client is that of its files, and of nothing else that its sessions do later', async () => {
  const before = await zonesOfSessions();
  for (const [index, [zone, created]] of [
    ['Asia/Tokyo', '2026-07-01 17:11:00'],
    ['America/New_York', '2026-07-01 04:11:00'],
    ['Asia/Kathmandu', '2026-07-01 13:56:00'],
  ].entries()) {
    await exporter.db.pool.query('UPDATE client SET time_zone = $1', [zone]);
    await recordEvents(exporter.db, makeEvent('open', ANNA, 1, '2026-07-01T08:11:00Z'));
    await fixture.emptyExports('acme');
    const files = await run({ now: `2026-07-0${index + 2}T12:00:00Z` });
    const opens = files?.find(({ kind }) => kind === 'opens')?.name ?? '';
    expect((await fixture.exported('acme'))[opens]).toContain(`;${created};`);
    expect(await zonesOfSessions()).toEqual(before);
  }
});
