import { describe, expect, it } from 'vitest';
import { answersLost, balanceOf } from '../support/balance.js';
import { killed, postgresAgain, untilLogged } from '../support/servers.js';
import { addClient, openWorld, rowsFor, sendingApps, untilSent, upload } from '../support/world.js';

const CONNECTIONS = 2;
/** A take-off whose commit was done and never heard of leaves its places undecided (spec 5). */
const WINDOW = CONNECTIONS * 2;

describe.each([
  ['killed', 'SIGKILL'],
  ['stopped with `immediate`', 'SIGQUIT'],
] as const)('a PostgreSQL that is %s in the middle of a mailing', (_, signal) => {
  it('comes back with all that was answered: nothing is lost, nothing is sent twice', async () => {
    await using world = await openWorld({
      apps: sendingApps,
      env: { SMTP_CONNECTIONS: String(CONNECTIONS), BATCH_SIZE: '50' },
    });
    const client = await addClient(world, `postgres-${signal.toLowerCase()}`);
    world.stack.inbox.behave({ delayMs: 5 });
    const file = await upload(world, client, rowsFor(client, 200));
    await world.stack.inbox.waitForAccepted(60);

    await killed(world.stack.postgres, signal);
    await untilLogged(world, 'sender-workers', /answers cannot be recorded|lease not renewed|job failed/);
    await postgresAgain(world);

    const mailings = await untilSent(world, client, file);
    const balance = await balanceOf(world, mailings);
    expect(balance).toMatchObject({ missing: 0, twice: 0 });
    expect(balance.unknown).toBeLessThanOrEqual(WINDOW);
    expect(await answersLost(world, mailings)).toBe(0);
  });
});
