import type { ResponseCounts } from '@postloop/db';
import type { DemoResult } from './result.js';
import type { Deeds } from './simulate.js';

/** What was counted outside of Postloop. */
export interface Seen extends Deeds {
  /** Rows of the recipient file. */
  recipients: number;
  /** What servers refused, by what it means. */
  refusals: ResponseCounts;
}

/** Where Postloop's figures are not what was seen outside of it, one line each. */
export function differences(
  result: DemoResult,
  recorded: { responses: ResponseCounts; complaints: number },
  seen: Seen,
): string[] {
  const { exports } = result;
  const figures: [what: string, is: number, expected: number][] = [
    ['rows imported', result.imported, seen.recipients],
    ['mails missing', result.missing, 0],
    ['mails duplicated', result.duplicated, 0],
    ['mails sent', result.sent, result.received],
    ['opens exported', exports.opens, seen.opens],
    ['clicks exported', exports.clicks, seen.clicks],
    ['unsubscribes exported', exports.unsubscribes, seen.unsubscribes],
    ['complaints recorded', recorded.complaints, seen.complaints],
    ...categories(seen).flatMap((category): [string, number, number][] => {
      const expected = seen.responses[category] + seen.refusals[category];
      return [
        [`responses recorded as ${category}`, recorded.responses[category], expected],
        [`responses exported as ${category}`, result.responses[category], expected],
      ];
    }),
  ];
  return figures
    .filter(([, is, expected]) => is !== expected)
    .map(([what, is, to]) => `${what}: ${is}, expected ${to}`);
}

const categories = ({ responses }: Seen) => Object.keys(responses) as (keyof ResponseCounts)[];
