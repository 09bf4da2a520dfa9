import { findAddresses } from './addresses.js';
import { cleanDiagnostic } from './clean-text.js';
import { fieldText, rawField } from './header-fields.js';
import type { InboundVerdict } from './inbound-verdict.js';
import { firstMessageId, lastMessageId } from './message-ids.js';
import { matchNotice } from './notice-rules.js';
import type { InboundReport } from './parse-inbound.js';
import { AUTO_REPLY_RULES, UNSUBSCRIBE_RULES } from './rules/notice-rules.js';

/** The verdict on a message that is no report: a mail client's wish to unsubscribe, an automatic answer or one by a person. Its sender is the recipient. */
export function classifyAnswer(report: InboundReport): InboundVerdict {
  const wish = matchNotice(report, UNSUBSCRIBE_RULES);
  const rule = matchNotice(report, AUTO_REPLY_RULES);
  const common = {
    recipient: findAddresses(fieldText(report.fields, 'from'))[0] ?? null,
    statusCode: null,
    smtpReply: null,
    hard: false,
    diagnostic: cleanDiagnostic(fieldText(report.fields, 'subject')),
    originalMessageId:
      firstMessageId(rawField(report.fields, 'in-reply-to')) ?? lastMessageId(rawField(report.fields, 'references')),
    feedbackType: null,
  };
  if (wish !== null) {
    return { ...common, category: 'unknown', kind: 'arf', reason: 'feedback', rule: wish, feedbackType: 'opt-out' };
  }
  return rule === null
    ? { ...common, category: 'unknown', kind: 'reply', reason: 'undefined', rule: 'reply' }
    : { ...common, category: 'autoresponder', kind: 'auto_reply', reason: 'vacation', rule };
}
