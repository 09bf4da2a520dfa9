import { expect, it } from 'vitest';
import { acceptedAddresses, acceptedTwice, balanceOf } from '../support/balance.js';
import { until } from '../support/until.js';
import { addClient, openWorld, rowsFor, sendingApps, untilSent, upload } from '../support/world.js';

it('a file that comes again, as it was, under a new name, or changed under its name: nobody is mailed twice', async () => {
  await using world = await openWorld({ apps: sendingApps });
  // Not halted by the errors that are to come.
  const client = await addClient(world, 'again', [{}], { settings: { onError: { halt: false } } });
  const rows = rowsFor(client, 50);
  const name = await upload(world, client, rows);
  const mailings = await untilSent(world, client, name);
  const newestImport = async () => {
    const { rows: found } = await world.db.pool.query<{ id: bigint; status: string; filed: boolean }>(
      'SELECT id, status, filed FROM import WHERE client_id = $1 ORDER BY id DESC LIMIT 1',
      [client.id],
    );
    return found[0];
  };

  const ends = [
    { name, content: rows, status: 'ignored' },
    { name: undefined, content: rows, status: 'failed' },
    { name, content: rows.slice(1), status: 'failed' },
  ];
  for (const { name: again, content, status } of ends) {
    const earlier = await newestImport();
    await upload(world, client, content, again);
    const ended = await until('it has ended', async () => {
      const newest = await newestImport();
      return newest?.id !== earlier?.id && newest?.filed ? newest : undefined;
    });
    expect(ended.status).toBe(status);
  }

  expect(await balanceOf(world, mailings)).toEqual({ missing: 0, twice: 0, unknown: 0 });
  expect(world.stack.inbox.counts.accepted).toBe(50);
  expect(acceptedTwice(world.stack.inbox)).toBe(0);
  expect(acceptedAddresses(world.stack.inbox).size).toBe(50);
});
