import { decodeBytes } from './charset.js';
import { parseFieldGroups } from './field-groups.js';
import { type HeaderField, parseHeaderFields, rawField } from './header-fields.js';
import { htmlToPlain } from './html-to-plain.js';
import { type Budget, createBudget, type GivenUp, type InboundLimits } from './limits.js';
import { type MimePart, readMimeParts } from './mime-parts.js';
import { decodeTransfer } from './transfer-encoding.js';

/** A message that came in, taken apart as far as its classification needs it. */
export interface InboundReport {
  fields: HeaderField[];
  /** What there is to read, in plain text, without what was attached. */
  text: string;
  /** Groups of fields of message/delivery-status parts (RFC 3464 2.1); empty without one. */
  deliveryStatus: HeaderField[][];
  /** Fields of a message/feedback-report part (RFC 5965 3); null without one. */
  feedback: HeaderField[] | null;
  /** Header of the mail that came back, as an attached message or header; null without one. */
  original: HeaderField[] | null;
  /** An attached message that is itself a report: gateways wrap them up. Null without one. */
  enclosed: InboundReport | null;
  /** Why parts of the message were not looked at; empty when all was. */
  gaveUpOn: GivenUp[];
}

const MAX_TEXT = 200_000;
const MAX_FIELDS_TEXT = 500_000;
const ORIGINALS = new Set([
  'message/rfc822',
  'message/global',
  'text/rfc822-headers',
  'message/rfc822-headers',
  'message/global-headers',
  'text/rfc822',
]);
const STATUSES = new Set(['message/delivery-status', 'message/global-delivery-status']);

/**
 * Takes a message apart. It never throws, whatever the bytes.
 * @param raw the message as it came, CRLF or LF
 * @param now a clock in milliseconds, for the time budget
 */
export function parseInbound(
  raw: Buffer,
  limits: InboundLimits,
  now: () => number = () => performance.now(),
): InboundReport {
  return readMessage(raw, createBudget(limits, now), true);
}

function readMessage(raw: Buffer, budget: Budget, mayEnclose: boolean): InboundReport {
  const { fields, parts } = readMimeParts(raw, budget);
  const report: InboundReport = {
    fields,
    text: '',
    deliveryStatus: [],
    feedback: null,
    original: null,
    enclosed: null,
    gaveUpOn: [],
  };
  for (const part of parts) {
    if (!budget.hasTime()) break;
    readPart(report, part, budget);
    if (mayEnclose && isReport(part, report)) report.enclosed ??= readMessage(part.body, budget, false);
  }
  report.text = readText(parts, budget);
  report.gaveUpOn = [...budget.gaveUpOn];
  return report;
}

function isReport({ contentType }: MimePart, { original }: InboundReport): boolean {
  return ORIGINALS.has(contentType.type) && /^multipart\/report\b/i.test(rawField(original ?? [], 'content-type'));
}

function readPart(report: InboundReport, part: MimePart, budget: Budget): void {
  const { type } = part.contentType;
  if (STATUSES.has(type)) readDeliveryStatus(report, part, budget);
  else if (type === 'message/feedback-report') {
    report.feedback ??= parseFieldGroups(linesOf(part, MAX_FIELDS_TEXT, budget)).flat();
  } else if (ORIGINALS.has(type) && report.original === null) {
    report.original = headerOf(linesOf(part, budget.limits.maxHeaderBytes, budget));
  }
}

function readDeliveryStatus(report: InboundReport, part: MimePart, budget: Budget): void {
  const groups = parseFieldGroups(linesOf(part, MAX_FIELDS_TEXT, budget));
  // One group is about the whole message.
  const room = budget.limits.maxRecipients + 1 - report.deliveryStatus.length;
  if (groups.length > room) budget.gaveUpOn.add('recipients');
  report.deliveryStatus.push(...groups.slice(0, Math.max(0, room)));
}

/** Fields up to the first empty line; a leading one is skipped. */
function headerOf(lines: readonly string[]): HeaderField[] {
  const start = lines.findIndex((line) => line.trim() !== '');
  const rest = lines.slice(Math.max(start, 0));
  const end = rest.indexOf('');
  return parseHeaderFields(end < 0 ? rest : rest.slice(0, end));
}

/** Plain text where there is some, else HTML; what stands before a report or an attached mail, else all there is. */
function readText(parts: readonly MimePart[], budget: Budget): string {
  const firstReport = parts.findIndex(
    ({ contentType }) => STATUSES.has(contentType.type) || ORIGINALS.has(contentType.type),
  );
  const before = firstReport < 0 ? parts : parts.slice(0, firstReport);
  return textOf(before, budget) || textOf(parts, budget);
}

function textOf(parts: readonly MimePart[], budget: Budget): string {
  const ofType = (wanted: (type: string) => boolean): string =>
    parts
      .filter(({ contentType }) => wanted(contentType.type))
      .map((part) => linesOf(part, MAX_TEXT, budget).join('\n'))
      .join('\n')
      .slice(0, MAX_TEXT);
  const plain = ofType((type) => type.startsWith('text/') && type !== 'text/html' && !ORIGINALS.has(type));
  if (plain.trim() !== '') return plain;
  const html = htmlToPlain(ofType((type) => type === 'text/html'));
  return html.trim() === '' ? ofType((type) => type.startsWith('multipart/')) : html;
}

function linesOf(part: MimePart, maxBytes: number, budget: Budget): string[] {
  if (!budget.hasTime()) return [];
  const encoding = rawField(part.fields, 'content-transfer-encoding');
  const bytes = decodeTransfer(part.body.subarray(0, maxBytes * 2), encoding).subarray(0, maxBytes);
  const text = decodeBytes(bytes, part.contentType.parameters.get('charset') ?? '');
  const { maxLineLength } = budget.limits;
  return text.split(/\r?\n/).map((line) => {
    if (line.length <= maxLineLength) return line;
    budget.gaveUpOn.add('line_length');
    return line.slice(0, maxLineLength);
  });
}
