import { describeIssues, parseJson } from '@postloop/service-kit';
import { z } from 'zod';

/** A limit of a recipient domain, or with `*.` in front of all below it together. */
export interface DomainLimit {
  pattern: string;
  mailsPerSecond: number | null;
  /** Mails that are handed over at the same time. */
  places: number | null;
}

const DOMAIN = /^(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)*$/i;

const schema = z.record(
  z.string(),
  z.strictObject({
    mailsPerSecond: z.number().positive().max(100_000).nullable().default(null),
    connections: z.int().min(1).max(10_000).nullable().default(null),
  }),
);

/** Reads `{"example.com": {"mailsPerSecond": 20, "connections": 5}, "*.example.org": …}`. @throws RangeError, a problem per line */
export function parseDomainLimits(text: string): DomainLimit[] {
  const parsed = schema.safeParse(parseJson(text));
  if (!parsed.success) throw new RangeError(describeIssues(parsed.error));
  const strange = Object.keys(parsed.data).filter((pattern) => !DOMAIN.test(pattern));
  if (strange.length > 0)
    throw new RangeError(
      strange.map((name) => `${name}: this is no domain; write example.com or *.example.com`).join('\n'),
    );
  return Object.entries(parsed.data).map(([pattern, { mailsPerSecond, connections }]) => ({
    pattern: pattern.toLowerCase(),
    mailsPerSecond,
    places: connections,
  }));
}
