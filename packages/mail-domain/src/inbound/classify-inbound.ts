import { classifyAnswer } from './classify-answer.js';
import { classifyDeliveryStatus, recipientGroups } from './classify-delivery-status.js';
import { classifyFeedback } from './classify-feedback.js';
import { bounceRuleOf, classifyFreeText } from './classify-free-text.js';
import { parseFieldGroups } from './field-groups.js';
import type { HeaderField } from './header-fields.js';
import type { InboundVerdict } from './inbound-verdict.js';
import { rangeOfLines } from './lines.js';
import type { InboundReport } from './parse-inbound.js';
import { readSesNotification } from './ses-notification.js';

const MAX_RECIPIENTS_IN_TEXT = 100;

/**
 * What a message means for each recipient it speaks of; at least one verdict. Machine-readable reports come before prose, prose before
 * automatic answers, and what is nothing of all this is a person's answer.
 */
export function classifyInbound(report: InboundReport): InboundVerdict[] {
  const notification = readSesNotification(report.text);
  const feedback = report.feedback ?? notification?.feedback ?? null;
  if (feedback !== null) return classifyFeedback(report, feedback);
  const reported = notification?.deliveryStatus ?? report.deliveryStatus;
  const groups = recipientGroups(reported.length > 0 ? reported : groupsInText(report));
  if (groups.length > 0) return classifyDeliveryStatus(report, groups);
  if (report.enclosed !== null) return classifyInbound(report.enclosed);
  if (bounceRuleOf(report) !== null) return classifyFreeText(report);
  return [classifyAnswer(report)];
}

/** Gateways flatten reports: the fields then stand in the text. */
function groupsInText({ text }: InboundReport): HeaderField[][] {
  if (!/^(?:Final|Original)-Recipient:/im.test(text)) return [];
  const has = (fields: readonly HeaderField[], wanted: string): boolean => fields.some(({ name }) => name === wanted);
  return parseFieldGroups(rangeOfLines(text))
    .filter((fields) => has(fields, 'final-recipient') && has(fields, 'action'))
    .slice(0, MAX_RECIPIENTS_IN_TEXT);
}
