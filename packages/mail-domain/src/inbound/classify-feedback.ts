import { addressOfField, findAddresses } from './addresses.js';
import { cleanDiagnostic } from './clean-text.js';
import { fieldText, type HeaderField, rawField } from './header-fields.js';
import type { InboundVerdict } from './inbound-verdict.js';
import { firstMessageId } from './message-ids.js';
import type { InboundReport } from './parse-inbound.js';

/** One verdict per recipient that the report names (RFC 5965 3.2); redacted or missing ones give one without an address. */
export function classifyFeedback(report: InboundReport, feedback: readonly HeaderField[]): InboundVerdict[] {
  const original = report.original ?? [];
  const feedbackType = rawField(feedback, 'feedback-type').toLowerCase().slice(0, 40) || 'other';
  const verdict = {
    category: 'unknown',
    kind: 'arf',
    statusCode: null,
    smtpReply: null,
    reason: 'feedback',
    hard: false,
    diagnostic: cleanDiagnostic(report.text.split(/\n\s*\n/, 3).join(' ')),
    rule: `arf:${feedbackType.replace(/[^a-z-]/g, '')}`,
    originalMessageId: firstMessageId(rawField(original, 'message-id')),
    feedbackType,
  } as const;
  return recipientsOf(feedback, original).map((recipient) => ({ ...verdict, recipient }));
}

function recipientsOf(feedback: readonly HeaderField[], original: readonly HeaderField[]): (string | null)[] {
  const reported = valuesOf(feedback, 'original-rcpt-to');
  if (reported.length > 0) return reported.map(addressOfField);
  const removal = valuesOf(feedback, 'removal-recipient').map(addressOfField);
  if (removal.length > 0) return removal;
  return [findAddresses(fieldText(original, 'to'))[0] ?? null];
}

function valuesOf(fields: readonly HeaderField[], name: string): string[] {
  return fields.filter((field) => field.name === name).map(({ value }) => value);
}
