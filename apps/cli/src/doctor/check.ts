import type { Explanation } from '../explain.js';

export type CheckStatus = 'ok' | 'warn' | 'fail' | 'skipped';

/** What one look at the set-up found. */
export interface CheckResult {
  /** What was looked at: `database`, `sftp`, … */
  check: string;
  status: CheckStatus;
  /** Stable name of the case, e.g. `database_refused`; `ok` when nothing is wrong. */
  code: string;
  found: string;
  /** What to do; null when there is nothing to do. */
  remedy: string | null;
}

export const ok = (check: string, found: string): CheckResult => ({
  check,
  status: 'ok',
  code: 'ok',
  found,
  remedy: null,
});

export const skipped = (check: string, found: string): CheckResult => ({
  check,
  status: 'skipped',
  code: 'skipped',
  found,
  remedy: null,
});

export const fail = (check: string, why: Explanation): CheckResult => ({ check, status: 'fail', ...why });

export const warn = (check: string, why: Explanation): CheckResult => ({ check, status: 'warn', ...why });
