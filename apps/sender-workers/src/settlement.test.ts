import { expect, it } from 'vitest';
import { settlementOf } from './settlement.js';
import type { SmtpOutcome } from './smtp-answer.js';

const attempt = { mailingId: 1n, batch: 0, attemptId: 2n, recipientId: 3n, email: 'a@x.example' };
const schedule = [60_000, 300_000];
const refused = (code: number, text: string): SmtpOutcome => ({
  kind: 'refused',
  reply: { code, text },
  stage: 'recipient',
});

it.each<[string, SmtpOutcome, number, object]>([
  [
    '250 is sent',
    { kind: 'accepted', reply: { code: 250, text: 'ok' } },
    0,
    { status: 'sent', smtpCode: 250, response: null },
  ],
  [
    '4xx waits as the schedule says',
    refused(451, '4.7.1 greylisted'),
    0,
    { status: 'deferred', retryInMs: 60_000, response: null },
  ],
  ['and longer the next time', refused(451, '4.7.1 greylisted'), 1, { status: 'deferred', retryInMs: 300_000 }],
  [
    'at the end of the schedule it is a soft bounce',
    refused(451, '4.2.2 full'),
    2,
    { status: 'could_not_be_sent', response: { category: 'temporary_bounce', statusCode: '4.2.2' } },
  ],
  [
    'no such user is hard',
    refused(550, '5.1.1 unknown'),
    0,
    { status: 'could_not_be_sent', response: { category: 'fatal_bounce', statusCode: '5.1.1' } },
  ],
  [
    'mailbox full is not',
    refused(552, '5.2.2 full'),
    0,
    { status: 'could_not_be_sent', response: { category: 'bounce', statusCode: '5.2.2' } },
  ],
  [
    'policy is not',
    refused(554, 'go away'),
    0,
    { status: 'could_not_be_sent', response: { category: 'bounce', statusCode: null } },
  ],
  [
    'lost before the dot: nothing was handed over',
    { kind: 'lost', dotWritten: false, why: 'reset' },
    0,
    { status: 'deferred', retryInMs: 5_000, response: null },
  ],
  [
    'lost again: as the schedule says, for a server may break off for an hour',
    { kind: 'lost', dotWritten: false, why: 'reset' },
    2,
    { status: 'deferred', retryInMs: 300_000 },
  ],
  [
    'lost to the end of the schedule: given up',
    { kind: 'lost', dotWritten: false, why: 'reset' },
    3,
    { status: 'could_not_be_sent', retryInMs: null },
  ],
  [
    'lost after the dot: only the server knows',
    { kind: 'lost', dotWritten: true, why: 'reset' },
    0,
    { status: 'unknown', response: null, retryInMs: null },
  ],
])('%s', (_what, outcome, attempts, expected) => {
  expect(settlementOf(attempt, attempts, outcome, schedule, () => 0)).toMatchObject({
    mailingId: 1n,
    recipientId: 3n,
    attemptId: 2n,
    ...expected,
  });
});

it('those that were put off together come back one after the other', () => {
  const outcome = refused(451, '4.7.1 greylisted');
  const pauses = [0, 0.5, 0.999].map((random) => settlementOf(attempt, 0, outcome, schedule, () => random).retryInMs);
  expect(pauses).toEqual([60_000, 66_000, 71_988]);
});
