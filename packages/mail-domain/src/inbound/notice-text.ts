import { type HeaderField, isFieldLine, parseHeaderFields } from './header-fields.js';
import { rangeOfLines } from './lines.js';

/** A notice in prose, apart from the mail that it gives back. */
export interface NoticeText {
  /** What the server says. */
  notice: string;
  /** Header of the mail that came back; null when it is not there. */
  original: HeaderField[] | null;
}

/** A line that announces the mail that came back, after dashes, stars or nothing. */
const ANNOUNCEMENT =
  /^[\s*=#>-]{0,40}(?:(?:this|the following|here) (?:is|are) (?:a |the )?(?:copy|headers?|full)|below (?:this|the) line|-* ?(?:begin |start of )?(?:original|returned|undelivered|unsent|your|bounced|failed) (?:message|mail|header|e-?mail)(?: (?:follows|headers?|text|info|below|included)\b| ?[-:=*]|\.? *$)|(?:the )?(?:message |mail )?headers? of (?:the|your) (?:original|message)|(?:a )?copy of (?:the|your) (?:original )?(?:message|mail)|(?:the )?(?:original|returned|unsent|undelivered|your) (?:message|mail) (?:follows|headers?|text|included|is (?:included|attached))|message headers? follow|message header|included is a copy|content of (?:the|your) (?:message|mail))/i;
/** Fields that open a mail's header and no report's. */
const OPENERS = new Set([
  'received',
  'return-path',
  'message-id',
  'mime-version',
  'dkim-signature',
  'delivered-to',
  'x-mailer',
]);
const COMMON = new Set([
  ...OPENERS,
  'from',
  'to',
  'subject',
  'date',
  'content-type',
  'reply-to',
  'sender',
  'content-transfer-encoding',
]);

/** Cuts a notice where the mail that it gives back begins: at an announcement, or where a header begins. */
export function splitNotice(text: string): NoticeText {
  const lines = rangeOfLines(text);
  const header = lines.findIndex((_line, index) => index > 0 && startsHeader(lines, index));
  const announced = lines.findIndex((line, index) => index > 1 && ANNOUNCEMENT.test(line));
  const ends = [header, announced].filter((index) => index >= 0);
  if (ends.length === 0) return { notice: lines.join('\n'), original: null };
  const end = Math.min(...ends);
  return {
    notice: lines.slice(0, end).join('\n'),
    original: readOriginal(lines, header >= 0 ? header : announced + 1),
  };
}

function startsHeader(lines: readonly string[], index: number): boolean {
  const names = lines.slice(index, index + 12).map(fieldName);
  const first = names[0];
  if (first === undefined || !COMMON.has(first)) return false;
  const end = lines.slice(index, index + 12).findIndex((line) => line.trim() === '');
  const block = names.slice(0, end < 0 ? 12 : end).filter((name) => name !== undefined && COMMON.has(name));
  return block.length >= 3 || (OPENERS.has(first) && block.length >= 2);
}

function fieldName(line: string): string | undefined {
  return isFieldLine(line) ? line.slice(0, line.indexOf(':')).trim().toLowerCase() : undefined;
}

function readOriginal(lines: readonly string[], from: number): HeaderField[] | null {
  const start = lines.findIndex((line, index) => index >= from && isFieldLine(line.trim()));
  if (start < 0) return null;
  const rest = lines.slice(start, start + 400);
  const end = rest.findIndex((line) => line.trim() === '');
  const block = end < 0 ? rest : rest.slice(0, end);
  // Some servers indent or quote the whole header.
  const indent = /^[> \t]*/.exec(block[0] ?? '')?.[0].length ?? 0;
  return parseHeaderFields(block.map((line) => line.slice(Math.min(indent, line.length))));
}
