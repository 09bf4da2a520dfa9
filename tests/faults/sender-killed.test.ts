import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { balanceOf } from '../support/balance.js';
import { addClient, openWorld, rowsFor, sendingApps, untilSent, upload, type World } from '../support/world.js';

const CONNECTIONS = 4;
/** What a crash may leave undecided: the places of all connections (spec 5). */
const WINDOW = CONNECTIONS * 2;

let world: World;
beforeAll(async () => {
  world = await openWorld({ apps: sendingApps, env: { SMTP_CONNECTIONS: String(CONNECTIONS), BATCH_SIZE: '50' } });
});
afterAll(() => world[Symbol.asyncDispose]());

describe.each([
  { killPoint: 'sender.after-claim', unknownAtMost: 0 },
  // Taken off and not even MAIL FROM said: the next holder cannot know that.
  { killPoint: 'sender.after-take-off:3', unknownAtMost: WINDOW },
  { killPoint: 'sender.after-dot:20', unknownAtMost: WINDOW },
  { killPoint: 'sender.after-250:20', unknownAtMost: WINDOW },
])('a sender that is killed at $killPoint', ({ killPoint, unknownAtMost }) => {
  it('loses no mail, sends none twice, and leaves at most its window unknown', async () => {
    const client = await addClient(world, killPoint.replace(/\W/g, '-'));
    await world.house.app('sender-workers').stop();
    const doomed = await world.house.start('sender-workers', { killPoint });

    const file = await upload(world, client, rowsFor(client, 300));
    expect(await doomed.exited).toMatchObject({ signal: 'SIGKILL' });
    await world.house.start('sender-workers');
    const mailings = await untilSent(world, client, file);

    const balance = await balanceOf(world, mailings);
    expect(balance).toMatchObject({ missing: 0, twice: 0 });
    expect(balance.unknown).toBeLessThanOrEqual(unknownAtMost);
  });
});
