import { ByteWriter } from './byte-writer.js';

/** RFC 2045 6.7 (5): 76 characters, the last of which may be the `=` of a soft line break. */
const MAX_COLUMN = 75;
const HEX = Buffer.from('0123456789ABCDEF');
const EQUALS = 0x3d;
const CR = 0x0d;
const LF = 0x0a;
const SPACE = 0x20;
const TAB = 0x09;
const DOT = 0x2e;
const LETTER_F = 0x46;
// As in ByteWriter.
const { charCodeAt } = String.prototype;

/** A line break that is not there when the text is decoded. */
export const SOFT_BREAK = '=\r\n';

/** Encodes text that starts at the start of a line. LF becomes CRLF. */
export function encodeQuotedPrintable(text: string): Buffer {
  const writer = new ByteWriter();
  writeEncoded(writer, Buffer.from(text));
  return writer.take();
}

/** Encodes a value at the start of a line. Most are short and ASCII: they are written as they are. */
export function writeQuotedPrintable(writer: ByteWriter, value: string): void {
  if (isPlain(value)) writer.writeAscii(value);
  else writeEncoded(writer, Buffer.from(value));
}

function isPlain(value: string): boolean {
  const { length } = value;
  if (length > MAX_COLUMN) return false;
  for (let i = 0; i < length; i += 1) {
    const code = charCodeAt.call(value, i);
    if (code < SPACE || code > 0x7e || code === EQUALS) return false;
  }
  const first = charCodeAt.call(value, 0);
  return first !== DOT && first !== LETTER_F;
}

/**
 * White space at the end of a line is encoded. So are a dot and an F at its start: no dot-stuffing is needed (RFC 5321
 * 4.5.2), and no mailbox format takes "From " for a new message.
 */
function writeEncoded(writer: ByteWriter, bytes: Buffer): void {
  writer.reserve(bytes.length * 3 + (Math.ceil(bytes.length / 25) + 1) * SOFT_BREAK.length);
  let column = 0;
  for (let i = 0; i < bytes.length; i += 1) {
    const byte = bytes[i] ?? 0;
    if (byte === LF) {
      writer.writeByte(CR);
      writer.writeByte(LF);
      column = 0;
      continue;
    }
    const plain = isPlainByte(byte, bytes[i + 1]);
    if (column + (plain ? 1 : 3) > MAX_COLUMN) {
      writer.writeAscii(SOFT_BREAK);
      column = 0;
    }
    if (plain && (column > 0 || (byte !== DOT && byte !== LETTER_F))) {
      writer.writeByte(byte);
      column += 1;
    } else {
      writer.writeByte(EQUALS);
      writer.writeByte(HEX[byte >> 4] ?? 0);
      writer.writeByte(HEX[byte & 15] ?? 0);
      column += 3;
    }
  }
}

function isPlainByte(byte: number, next: number | undefined): boolean {
  if (byte === SPACE || byte === TAB) return next !== LF;
  return byte > SPACE && byte < 0x7f && byte !== EQUALS;
}
