import { type InboundOutcome, type NewResponse, type RecordedEvent, unsubscribeEventId } from '@postloop/db';
import { normaliseAddress } from '@postloop/mail-domain';
import type { GivenUp, InboundVerdict, ResponseCategory } from '@postloop/mail-domain/inbound';
import type { Target } from './find-targets.js';
import type { MailReading } from './read-mail.js';

/** A target that exists, with its address. */
export interface KnownTarget extends Target {
  email: string | null;
}

/** Feedback types that are no complaint: RFC 6591, RFC 6430. */
const NO_COMPLAINTS = new Set(['auth-failure', 'not-spam', 'dmarc']);
/** With one of these a message that looks like an answer may be anything. */
const OPAQUE: ReadonlySet<GivenUp> = new Set(['depth', 'parts', 'header_size', 'time']);
/** What our own List-Unsubscribe field puts into the subject (RFC 2369 3.2). */
const UNSUBSCRIBE = 'unsubscribe';

/** What is to be recorded of a message that was read. Pure. */
export function judgeMessage(
  message: { id: bigint; receivedAt: Date },
  reading: MailReading,
  targets: readonly KnownTarget[],
): InboundOutcome {
  const notRead = reading.gaveUpOn.length > 0 ? `not read to its end: ${reading.gaveUpOn.join(', ')}` : null;
  if (targets.length === 0) return unassigned(notRead ?? 'it names no return path and no Message-ID of ours');
  const opaque = reading.gaveUpOn.some((what) => OPAQUE.has(what));
  if (opaque && reading.verdicts.every(({ kind }) => kind === 'reply')) return unassigned(notRead);
  const unsubscribes = targets
    .filter((target) => target.by === 'return_path' && asksToUnsubscribe(reading))
    .map((target) => unsubscribeOf(message, target));
  const responses =
    unsubscribes.length > 0 ? [] : targets.flatMap((target) => responseOf(message, target, pick(reading, target)));
  if (unsubscribes.length + responses.length > 0)
    return { status: 'recorded', reason: notRead, responses, unsubscribes };
  return { status: 'no_response', reason: reading.verdicts[0]?.rule ?? null, responses, unsubscribes };
}

/** A message of which nothing is recorded. */
export function unassigned(reason: string | null): InboundOutcome {
  return { status: 'unassigned', reason, responses: [], unsubscribes: [] };
}

function asksToUnsubscribe({ subject, verdicts }: MailReading): boolean {
  const answer = verdicts.every(({ kind }) => kind === 'reply' || kind === 'auto_reply');
  return answer && subject.trim().toLowerCase() === UNSUBSCRIBE;
}

const MILD: readonly ResponseCategory[] = ['autoresponder', 'unknown', 'temporary_bounce', 'bounce', 'fatal_bounce'];

/**
 * The verdict for a recipient: the one that names it; else the only one (a forwarded mail bounces under another address);
 * else of several the mildest: somebody behind the address may have got the mail.
 */
function pick({ verdicts }: MailReading, { email }: KnownTarget): InboundVerdict | undefined {
  const address = email === null ? null : normaliseAddress(email);
  const own = verdicts.find(({ recipient }) => recipient !== null && normaliseAddress(recipient) === address);
  return own ?? [...verdicts].sort((a, b) => MILD.indexOf(a.category) - MILD.indexOf(b.category))[0];
}

/** None for what says nothing about the end of a mail: it is late, it was delivered, a report about its signature. */
function responseOf(
  message: { id: bigint; receivedAt: Date },
  { mailingId, recipientId }: KnownTarget,
  verdict: InboundVerdict | undefined,
): NewResponse[] {
  if (!verdict || verdict.kind === 'delayed' || verdict.reason === 'delivered') return [];
  const complaint = verdict.kind === 'arf';
  if (complaint && NO_COMPLAINTS.has(verdict.feedbackType ?? '')) return [];
  const { category, kind, statusCode, diagnostic, rule, reason } = verdict;
  const said = { category, kind, statusCode, diagnostic, rule, reason, complaint };
  return [{ mailingId, recipientId, ...said, messageId: message.id, occurredAt: message.receivedAt }];
}

function unsubscribeOf({ receivedAt }: { receivedAt: Date }, { mailingId, recipientId }: KnownTarget): RecordedEvent {
  return {
    id: unsubscribeEventId(mailingId, recipientId),
    mailingId,
    recipientId,
    kind: 'unsubscribe',
    // Not by one of the mail's links.
    linkOrdinal: 0,
    occurredAt: receivedAt,
    browser: '',
    platform: '',
    device: '',
    verdict: 'unknown',
    verdictRule: 'unsubscribe-mail',
    userAgent: null,
  };
}
