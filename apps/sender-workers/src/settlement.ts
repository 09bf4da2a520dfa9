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
  switch (outcome.kind) {
    case 'accepted':
      return settlement(attempt, 'sent', null, outcome.reply.code);
    case 'lost': {
      if (outcome.dotWritten) return settlement(attempt, 'unknown', `no answer after the final dot: ${outcome.why}`);
      // From then on as after a 4xx: a server that breaks off for an hour has refused nothing.
      const retryInMs = attempts === 0 ? LOST_RETRY_MS : jittered(retrySchedule[attempts - 1], random);
      const status = retryInMs === null ? 'could_not_be_sent' : 'deferred';
      return settlement(attempt, status, outcome.why, null, retryInMs);
    }
    case 'refused':
      return refusal(attempt, outcome, jittered(retrySchedule[attempts], random));
  }
}

/** A mail that could not be made. */
export function renderFailure(attempt: Attempt, reason: string): Settlement {
  return settlement(attempt, 'render_failed', reason);
}

type Refused = Extract<SmtpOutcome, { kind: 'refused' }>;

function refusal(attempt: Attempt, { reply: { code, text }, stage }: Refused, pauseMs: number | null): Settlement {
  if (code < 500 && pauseMs !== null) return settlement(attempt, 'deferred', text, code, pauseMs);
  // The same rules as for mail that comes back (spec 7).
  const { category, statusCode, reason, rule } = judgeSmtpReply(`${code} ${text}`, stage);
  return settlement(attempt, 'could_not_be_sent', text, code, null, { category, statusCode, reason, rule });
}

/** Every property is written out: V8 reads those of a spread object ten times as slowly, and there is one for every mail. */
function settlement(
  { mailingId, recipientId, attemptId }: Attempt,
  status: Settlement['status'],
  reason: string | null,
  smtpCode: number | null = null,
  retryInMs: number | null = null,
  response: Settlement['response'] = null,
): Settlement {
  return { mailingId, recipientId, attemptId, status, smtpCode, reason, retryInMs, response };
}

/** Up to a fifth longer: mails that were refused together do not come back together. Null at the end of the schedule. */
function jittered(pauseMs: number | undefined, random: () => number): number | null {
  return pauseMs === undefined ? null : Math.round(pauseMs * (1 + random() / 5));
}
