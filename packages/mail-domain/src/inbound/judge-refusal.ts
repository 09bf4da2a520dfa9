import { type BounceReason, HARD_REASONS, type ResponseCategory } from './inbound-verdict.js';
import { foldText, matchesPhrase } from './phrase.js';
import { PHRASE_RULES, type PhraseRule } from './rules/reason-rules.js';
import { REPLY_RULES, STATUS_RULES } from './rules/status-rules.js';
import { WEAK_PHRASES } from './rules/user-phrases.js';
import { saysMore } from './status-codes.js';
import type { RefusalStage } from './transcript.js';

/** What is known of one refusal. */
export interface Refusal {
  /** What the server said, most telling first. A later text counts only when the earlier ones and the codes say nothing. */
  texts: readonly string[];
  statusCode: string | null;
  smtpReply: string | null;
  stage: RefusalStage;
}

export interface Judgement {
  reason: BounceReason;
  rule: string;
  hard: boolean;
  category: ResponseCategory;
}

interface Finding {
  reason: BounceReason;
  rule: string;
}

const MAX_TEXT = 4_000;
const TERSE: ReadonlySet<string> = new Set(['text:user-unknown-terse', 'weak:recipient-rejected']);

/** Gives a refusal its reason and category: 4.x.x temporary, 5.x.x soft or undetermined, or permanent. */
export function judgeRefusal(refusal: Refusal): Judgement {
  const { reason, rule } = doubt(findReason(refusal), refusal);
  if (isTemporary(refusal)) return { reason, rule, hard: false, category: 'temporary_bounce' };
  const hard = HARD_REASONS.has(reason);
  return { reason, rule, hard, category: hard ? 'fatal_bounce' : 'bounce' };
}

/** The first phrase rule that a text matches; null without one. */
export function reasonOfText(text: string, rules: readonly PhraseRule[] = PHRASE_RULES): Finding | null {
  const folded = foldText(text.slice(0, MAX_TEXT));
  const rule = rules.find(
    ({ phrases, unless }) =>
      phrases.some((phrase) => matchesPhrase(folded, phrase)) &&
      !unless?.some((phrase) => matchesPhrase(folded, phrase)),
  );
  return rule ? { reason: rule.gives, rule: rule.name } : null;
}

function findReason({ texts, statusCode, smtpReply }: Refusal): Finding {
  const [said = '', ...context] = texts;
  return (
    reasonOfText(said) ??
    reasonOfStatus(statusCode) ??
    context.map((text) => reasonOfText(text)).find((finding) => finding !== null) ??
    reasonOfText(texts.join(' '), WEAK_PHRASES) ??
    reasonOfReply(smtpReply) ?? { reason: 'undefined', rule: 'none' }
  );
}

function reasonOfStatus(statusCode: string | null): Finding | null {
  if (statusCode === null || !saysMore(statusCode)) return null;
  const detail = statusCode.slice(2);
  const reason = STATUS_RULES[detail];
  return reason === undefined ? null : { reason, rule: `status:x.${detail}` };
}

function reasonOfReply(smtpReply: string | null): Finding | null {
  const reason = smtpReply === null ? undefined : REPLY_RULES[smtpReply];
  return reason === undefined ? null : { reason, rule: `reply:${smtpReply}` };
}

/**
 * What is refused after MAIL FROM is the sender. A terse `User unknown` is final when an address code (x.1.x) or the stage
 * bears it out, or a server says it of its own mailboxes. A server that knew the recipient at RCPT and calls it unknown after
 * DATA filters: carriers answer so to mail that a subscriber does not want. A mere reply at an unknown stage may be that;
 * x.2.x speaks of a mailbox that exists, x.7.x of a policy.
 */
function doubt(finding: Finding, { statusCode, smtpReply, stage }: Refusal): Finding {
  if (stage === 'sender' && HARD_REASONS.has(finding.reason)) return { reason: 'rejected', rule: 'doubt:at-mail-from' };
  if (finding.reason === 'userunknown' && /^\d\.7\./.test(statusCode ?? '') && stage !== 'recipient') {
    return { reason: 'filtered', rule: 'doubt:unknown-but-policy-status' };
  }
  if (!TERSE.has(finding.rule) || /^\d\.1\./.test(statusCode ?? '') || stage === 'recipient') return finding;
  if (stage === 'data') return { reason: 'filtered', rule: 'doubt:unknown-after-data' };
  if (/^\d\.2\./.test(statusCode ?? '')) return { reason: 'suspend', rule: 'doubt:unknown-but-mailbox-status' };
  return smtpReply === null ? finding : { reason: 'filtered', rule: 'doubt:unknown-at-unknown-stage' };
}

/** The enhanced code decides, and the reply code where there is none. */
function isTemporary({ statusCode, smtpReply }: Refusal): boolean {
  return (statusCode ?? smtpReply ?? '').startsWith('4');
}
