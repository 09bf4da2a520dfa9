import { join } from 'node:path';
import { startSmtpInbox, temporaryDirectory } from '@postloop/local-stack';
import { expect, it } from 'vitest';
import { balanceOf } from '../support/balance.js';
import { addClient, openWorld, rowsFor, sendingApps, untilImported, untilSent, upload } from '../support/world.js';

it('a server slower than lock and lease keeps its mails with one sender, and another client does not wait for it', async () => {
  await using directory = await temporaryDirectory();
  await using relay = await startSmtpInbox({ dir: join(directory.path, 'relay') });
  await using world = await openWorld({
    apps: sendingApps,
    env: {
      SMTP_CONNECTIONS: '2',
      BATCH_SIZE: '4',
      JOB_LOCK_MS: '1000',
      LEASE_MS: '1500',
      SMTP_TRANSPORTS: JSON.stringify({ relay: { url: relay.url, connections: 2 } }),
    },
  });
  await using _first = world.house.app('sender-workers');
  await world.house.start('sender-workers');
  const client = await addClient(world, 'slow', [{}], { transport: 'relay' });
  const other = await addClient(world, 'quick');
  // Twice as long as the lease: without its renewal the other sender would take the batch.
  relay.behave({ match: /@slow/, delayMs: 3_000 });
  const file = await upload(world, client, rowsFor(client, 16));
  const { id: importId } = await untilImported(world, client, file);
  await relay.waitForAccepted(1);

  const beside = await untilSent(world, other, await upload(world, other, rowsFor(other, 100)));
  expect(await balanceOf(world, beside)).toEqual({ missing: 0, twice: 0, unknown: 0 });

  const mailings = await untilSent(world, client, file);
  expect(await balanceOf(world, mailings, relay)).toEqual({ missing: 0, twice: 0, unknown: 0 });
  const { rows } = await world.db.pool.query(
    `SELECT DISTINCT d.attempts FROM delivery d JOIN mailing m ON m.id = d.mailing_id WHERE m.import_id = $1`,
    [importId],
  );
  expect(rows).toEqual([{ attempts: 1 }]);
});
