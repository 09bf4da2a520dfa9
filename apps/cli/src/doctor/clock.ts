import { type CheckResult, ok, skipped, warn } from './check.js';

/** Seconds are what SFTP counts in, and a round trip may take another. */
const TOLERATED_MS = 5_000;

/** Compares a server's clock with this machine's. @param aheadMs undefined when it could not be asked */
export function checkClock(server: string, aheadMs: number | undefined): CheckResult {
  if (aheadMs === undefined) return skipped('clock', `${server}: could not be asked`);
  const seconds = Math.round(Math.abs(aheadMs) / 1_000);
  if (Math.abs(aheadMs) <= TOLERATED_MS)
    return ok('clock', `${server}: the same time as here, to ${TOLERATED_MS / 1_000} s`);
  return warn('clock', {
    code: 'clock_differs',
    found: `${server} is ${seconds} s ${aheadMs > 0 ? 'ahead of' : 'behind'} this machine`,
    remedy: 'Have all machines set their clocks by NTP: schedules, leases and the times in exports go by them.',
  });
}
