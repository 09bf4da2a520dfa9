import type { Attempt, Settlement } from '@postloop/db';
import { judgeSmtpReply } from '@postloop/mail-domain/inbound';
import type { SmtpOutcome } from './smtp-answer.js';

/** The first pause after a connection that was lost before anything was handed over: servers end them for many reasons. */
const LOST_RETRY_MS = 5_000;

/** What an outcome means for the recipient. `attempts` were made before this one. Pure. */
export function settlementOf(
  attempt: Attempt,
  attempts: number,
  outcome: SmtpOutcome,
  retrySchedule: readonly number[],
  random: () => number = Math.random,
): Settlement {
  const { mailingId, recipientId, attemptId } = attempt;
  const base = { mailingId, recipientId, attemptId, smtpCode: null, retryInMs: null, response: null };
  switch (outcome.kind) {
    case 'accepted':
      return { ...base, status: 'sent', smtpCode: outcome.reply.code, reason: null };
    case 'lost': {
      if (outcome.dotWritten)
        return { ...base, status: 'unknown', reason: `no answer after the final dot: ${outcome.why}` };
      // From then on as after a 4xx: a server that breaks off for an hour has refused nothing.
      const retryInMs = attempts === 0 ? LOST_RETRY_MS : jittered(retrySchedule[attempts - 1], random);
      return {
        ...base,
        status: retryInMs === null ? 'could_not_be_sent' : 'deferred',
        reason: outcome.why,
        retryInMs,
      };
    }
    case 'refused':
      return refusal(base, outcome, jittered(retrySchedule[attempts], random));
  }
}

type Base = Omit<Settlement, 'status' | 'reason'>;

type Refused = Extract<SmtpOutcome, { kind: 'refused' }>;

function refusal(base: Base, { reply, stage }: Refused, pauseMs: number | null): Settlement {
  const answered = { ...base, smtpCode: reply.code, reason: reply.text };
  const retryInMs = reply.code < 500 ? pauseMs : null;
  if (retryInMs !== null) return { ...answered, status: 'deferred', retryInMs };
  // The same rules as for mail that comes back (spec 7).
  const { category, statusCode, reason, rule } = judgeSmtpReply(`${reply.code} ${reply.text}`, stage);
  return { ...answered, status: 'could_not_be_sent', response: { category, statusCode, reason, rule } };
}

/** Up to a fifth longer: mails that were refused together do not come back together. Null at the end of the schedule. */
function jittered(pauseMs: number | undefined, random: () => number): number | null {
  return pauseMs === undefined ? null : Math.round(pauseMs * (1 + random() / 5));
}
