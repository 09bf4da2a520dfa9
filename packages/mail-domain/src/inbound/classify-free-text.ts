import { findAddresses } from './addresses.js';
import { cleanDiagnostic } from './clean-text.js';
import { fieldText, rawField } from './header-fields.js';
import type { InboundVerdict } from './inbound-verdict.js';
import { judgeRefusal, reasonOfText } from './judge-refusal.js';
import { firstMessageId } from './message-ids.js';
import { findNoticeRecipients, type NoticeRecipient } from './notice-recipients.js';
import { matchNotice } from './notice-rules.js';
import { splitNotice } from './notice-text.js';
import type { InboundReport } from './parse-inbound.js';
import { DELAY_RULES, STRONG_BOUNCE_RULES, SUBJECT_BOUNCE_RULES, TEXT_BOUNCE_RULES } from './rules/notice-rules.js';
import { findServerCodes } from './status-codes.js';
import { stageOfRefusal } from './transcript.js';

/** How mail programs begin the subject of a person's answer. */
const ANSWERS = /^\s*(?:re|aw|antw|sv|vs|odp|rif|tr|fwd?|wg)\s?(?:\[\d{1,3}\])?\s?:/i;

/**
 * The name of the rule by which a message is a bounce in prose; null when it is none. A daemon's name is enough; a subject or a
 * sentence needs the other, because people quote both.
 */
export function bounceRuleOf(report: InboundReport): string | null {
  const strong = matchNotice(report, STRONG_BOUNCE_RULES);
  if (strong !== null) return strong;
  if (ANSWERS.test(fieldText(report.fields, 'subject'))) return null;
  const subject = matchNotice(report, SUBJECT_BOUNCE_RULES);
  const text = matchNotice(report, TEXT_BOUNCE_RULES);
  const refusal = reasonOfText(splitNotice(report.text).notice) !== null;
  if (subject !== null && (text !== null || refusal)) return subject;
  const bringsMail = report.original !== null || rawField(report.fields, 'return-path') === '<>';
  return text !== null && refusal && bringsMail ? text : null;
}

/** One verdict per recipient that the notice names; one without an address when it names none. */
export function classifyFreeText(report: InboundReport): InboundVerdict[] {
  const { notice, original } = splitNotice(report.text);
  const returned = report.original ?? original ?? [];
  const originalMessageId = firstMessageId(rawField(returned, 'message-id'));
  const delayed = matchNotice(report, DELAY_RULES) !== null;
  return recipientsOf(report, notice, fieldText(returned, 'to')).map(({ recipient, said }) => {
    const codes = codesOf(said, notice);
    const judged = judgeRefusal({ texts: [said, notice], ...codes, stage: stageOfRefusal(notice) });
    const common = {
      recipient,
      ...codes,
      diagnostic: cleanDiagnostic(said || notice),
      originalMessageId,
      feedbackType: null,
    };
    if (!delayed) return { ...common, kind: 'free_text', ...judged };
    return {
      ...common,
      kind: 'delayed',
      category: 'unknown',
      reason: judged.reason,
      hard: false,
      rule: 'text:delayed',
    };
  });
}

/** Named by the header field that some servers add, else by the notice, else the mail's own. */
function recipientsOf(
  report: InboundReport,
  notice: string,
  returnedTo: string,
): { recipient: string | null; said: string }[] {
  const reader = [...findAddresses(fieldText(report.fields, 'to')), ...findAddresses(fieldText(report.fields, 'from'))];
  const named = findNoticeRecipients(notice, reader);
  const failed = findAddresses(fieldText(report.fields, 'x-failed-recipients'));
  if (failed.length > 0) return failed.map((recipient) => ({ recipient, said: saidOf(recipient, named) }));
  if (named.length > 0) return named;
  return [{ recipient: findAddresses(returnedTo)[0] ?? null, said: '' }];
}

function saidOf(recipient: string, named: readonly NoticeRecipient[]): string {
  return named.find((entry) => entry.recipient.toLowerCase() === recipient.toLowerCase())?.said ?? '';
}

function codesOf(said: string, notice: string): { statusCode: string | null; smtpReply: string | null } {
  const own = findServerCodes(said);
  return own.statusCode === null && own.smtpReply === null ? findServerCodes(notice) : own;
}
