import { type ContentType, parseContentType } from './content-type.js';
import { type HeaderField, parseHeaderFields, rawField } from './header-fields.js';
import type { Budget } from './limits.js';

/** A leaf of the MIME tree, its body as it came. */
export interface MimePart {
  fields: HeaderField[];
  contentType: ContentType;
  body: Buffer;
  /** 1 for the message itself. */
  depth: number;
}

interface Entity {
  fields: HeaderField[];
  contentType: ContentType;
  depth: number;
  headerLines: string[];
  /** Offset of the body; null while the header goes on. */
  bodyStart: number | null;
}

interface Boundary {
  marker: Buffer;
  /** Depth of the multipart that it belongs to. */
  depth: number;
}

const CHECK_TIME_EVERY = 512;

/**
 * Cuts a message into its leaves (RFC 2046) in one pass over its lines. Attached messages (message/rfc822) are leaves. It
 * never throws: a missing end is an end, an unknown boundary is text, what exceeds a limit is left out.
 * @returns the message's own header fields and its leaves in order; a multipart stands among them with what it holds
 *   before its first delimiter
 */
export function readMimeParts(raw: Buffer, budget: Budget): { fields: HeaderField[]; parts: MimePart[] } {
  const end = Math.min(raw.length, budget.limits.maxBytes);
  if (end < raw.length) budget.gaveUpOn.add('size');
  const reader = new MimeReader(raw.subarray(0, end), budget);
  let count = 0;
  let start = 0;
  while (start < end) {
    const lineFeed = raw.indexOf(0x0a, start);
    const stop = lineFeed < 0 || lineFeed >= end ? end : lineFeed;
    reader.line(start, stop > start && raw[stop - 1] === 0x0d ? stop - 1 : stop, stop + 1);
    start = stop + 1;
    if (++count % CHECK_TIME_EVERY === 0 && !budget.hasTime()) break;
  }
  return reader.end(Math.min(start, end));
}

class MimeReader {
  readonly #raw: Buffer;
  readonly #budget: Budget;
  readonly #root: Entity = newEntity(1);
  readonly #boundaries: Boundary[] = [];
  readonly #parts: MimePart[] = [];
  #current: Entity | null = this.#root;
  #entities = 1;
  #headerBytes = 0;

  constructor(raw: Buffer, budget: Budget) {
    this.#raw = raw;
    this.#budget = budget;
  }

  /** One line, from `start` to `stop` without its end; the next one begins at `next`. */
  line(start: number, stop: number, next: number): void {
    if (this.#raw[start] === 0x2d && this.#raw[start + 1] === 0x2d && this.#delimiter(start, stop)) return;
    const entity = this.#current;
    if (entity === null || entity.bodyStart !== null) return;
    if (stop === start) this.#endHeader(entity, next);
    else this.#headerLine(entity, start, stop);
  }

  end(at: number): { fields: HeaderField[]; parts: MimePart[] } {
    this.#close(at);
    return { fields: this.#root.fields, parts: this.#parts };
  }

  #headerLine(entity: Entity, start: number, stop: number): void {
    const { maxHeaderBytes, maxLineLength } = this.#budget.limits;
    const length = Math.min(stop - start, maxLineLength);
    if (length < stop - start) this.#budget.gaveUpOn.add('line_length');
    this.#headerBytes += length;
    if (this.#headerBytes > maxHeaderBytes) this.#budget.gaveUpOn.add('header_size');
    else entity.headerLines.push(headerText(this.#raw.subarray(start, start + length)));
  }

  #endHeader(entity: Entity, bodyStart: number): void {
    entity.bodyStart = bodyStart;
    entity.fields = parseHeaderFields(entity.headerLines);
    entity.contentType = parseContentType(rawField(entity.fields, 'content-type'));
    const boundary = entity.contentType.parameters.get('boundary') ?? '';
    if (!entity.contentType.type.startsWith('multipart/') || boundary === '') return;
    if (entity.depth >= this.#budget.limits.maxDepth) this.#budget.gaveUpOn.add('depth');
    else this.#boundaries.push({ marker: Buffer.from(`--${boundary}`, 'latin1'), depth: entity.depth });
  }

  /** @returns whether the line was a delimiter of an open multipart */
  #delimiter(start: number, stop: number): boolean {
    for (let index = this.#boundaries.length - 1; index >= 0; index--) {
      const boundary = this.#boundaries[index];
      if (boundary === undefined || !this.#startsWith(start, stop, boundary.marker)) continue;
      const rest = this.#raw.toString('latin1', start + boundary.marker.length, Math.min(stop, start + 200)).trim();
      if (rest !== '' && rest !== '--') continue;
      this.#close(start);
      this.#boundaries.length = rest === '--' ? index : index + 1;
      this.#current = rest === '--' ? null : this.#open(boundary.depth + 1);
      return true;
    }
    return false;
  }

  #startsWith(start: number, stop: number, marker: Buffer): boolean {
    return (
      stop - start >= marker.length && this.#raw.compare(marker, 0, marker.length, start, start + marker.length) === 0
    );
  }

  #open(depth: number): Entity | null {
    if (this.#entities >= this.#budget.limits.maxParts) {
      this.#budget.gaveUpOn.add('parts');
      return null;
    }
    this.#entities++;
    return newEntity(depth);
  }

  #close(at: number): void {
    const entity = this.#current;
    this.#current = null;
    if (entity === null) return;
    if (entity.bodyStart === null) this.#endHeader(entity, at);
    const body = this.#raw.subarray(entity.bodyStart ?? at, at);
    if (body.length > 0) this.#parts.push({ ...entity, body });
  }
}

function newEntity(depth: number): Entity {
  return { fields: [], contentType: parseContentType(''), depth, headerLines: [], bodyStart: null };
}

/** Header fields are ASCII, or UTF-8 (RFC 6532), or something older. */
function headerText(line: Buffer): string {
  const text = line.toString('utf8');
  return text.includes('\ufffd') ? line.toString('latin1') : text;
}
