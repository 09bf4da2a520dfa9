import type { Clock } from '@postloop/contracts';
import type { ReadinessCheck } from '@postloop/service-kit';

const GOOD_FOR_MS = 15_000;

/** Can we log in? A yes is good for a while: every probe a new SSH session would be a burden on the shared server. */
export function sftpCheck(connect: () => Promise<AsyncDisposable>, clock: Clock): ReadinessCheck {
  let goodUntil = 0;
  return async () => {
    if (clock.now().getTime() < goodUntil) return;
    await using _session = await connect();
    goodUntil = clock.now().getTime() + GOOD_FOR_MS;
  };
}
