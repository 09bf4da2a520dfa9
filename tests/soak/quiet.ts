import type { World } from '../support/world.js';

/** What is still to be done before a balance can be drawn, in words; empty when nothing is. */
export async function unfinished({ db }: World, files: number): Promise<string[]> {
  const { rows } = await db.pool.query<Record<string, number>>(
    `SELECT (SELECT count(*) FROM import WHERE status IN ('started', 'empty') AND filed)::int AS imported,
            (SELECT count(*) FROM import WHERE status IN ('failed', 'ignored'))::int AS failed,
            (SELECT count(*) FROM mailing WHERE status <> 'finished')::int AS mailings,
            (SELECT count(*) FROM delivery WHERE status IN ('in_flight', 'deferred'))::int AS deliveries,
            (SELECT count(*) FROM inbound_message WHERE status = 'received')::int AS inbound`,
  );
  const [{ imported = 0, failed = 0, mailings = 0, deliveries = 0, inbound = 0 } = {}] = rows;
  return [
    failed > 0 ? `${failed} imports failed` : '',
    imported < files ? `${imported} of ${files} files imported` : '',
    mailings > 0 ? `${mailings} mailings not finished` : '',
    deliveries > 0 ? `${deliveries} deliveries open` : '',
    inbound > 0 ? `${inbound} returned mails not looked at` : '',
  ].filter((text) => text !== '');
}

/** Waits until nothing is left to do, or the deadline. @returns what is left */
export async function untilQuiet(
  world: World,
  files: number,
  poll: () => Promise<void>,
  deadlineMs: number,
): Promise<string[]> {
  const deadline = Date.now() + deadlineMs;
  for (;;) {
    await poll();
    const left = await unfinished(world, files).catch((error: Error) => [error.message]);
    if (left.length === 0 || Date.now() > deadline) return left;
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
}
