import type { Attempt, Settlement } from '@postloop/db';
import { enhancedStatusCode, type SmtpOutcome, type SmtpReply } from './smtp-answer.js';

/** A pause that nobody chose: the connection was lost before anything was handed over. */
const LOST_RETRY_MS = 5_000;

/** What an outcome means for the recipient. `attempts` were made before this one. Pure. */
export function settlementOf(
  attempt: Attempt,
  attempts: number,
  outcome: SmtpOutcome,
  retrySchedule: readonly number[],
): Settlement {
  const { mailingId, recipientId, attemptId } = attempt;
  const base = { mailingId, recipientId, attemptId, smtpCode: null, retryInMs: null, response: null };
  switch (outcome.kind) {
    case 'accepted':
      return { ...base, status: 'sent', smtpCode: outcome.reply.code, reason: null };
    case 'lost': {
      if (outcome.dotWritten)
        return { ...base, status: 'unknown', reason: `no answer after the final dot: ${outcome.why}` };
      const last = attempts >= retrySchedule.length;
      return {
        ...base,
        status: last ? 'could_not_be_sent' : 'deferred',
        reason: outcome.why,
        retryInMs: last ? null : LOST_RETRY_MS,
      };
    }
    case 'refused':
      return refusal(base, attempts, outcome.reply, retrySchedule);
  }
}

type Base = Omit<Settlement, 'status' | 'reason'>;

function refusal(base: Base, attempts: number, reply: SmtpReply, retrySchedule: readonly number[]): Settlement {
  const answered = { ...base, smtpCode: reply.code, reason: reply.text };
  const retryInMs = reply.code < 500 ? (retrySchedule[attempts] ?? null) : null;
  if (retryInMs !== null) return { ...answered, status: 'deferred', retryInMs };
  return {
    ...answered,
    status: 'could_not_be_sent',
    response: { category: categoryOf(reply), statusCode: enhancedStatusCode(reply) },
  };
}

/** Spec 7: 4.x.x is temporary; 5.1.x says that there is no such address; any other 5.x.x stays a soft bounce. */
function categoryOf(reply: SmtpReply): 'temporary_bounce' | 'fatal_bounce' | 'bounce' {
  if (reply.code < 500) return 'temporary_bounce';
  return enhancedStatusCode(reply)?.startsWith('5.1.') ? 'fatal_bounce' : 'bounce';
}
