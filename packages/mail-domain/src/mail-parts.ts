import { fileNameParameter, safeFileName } from './attachment-name.js';
import type { ReferencedContent } from './render-data.js';

/** A file of every mail of a mailing. */
export interface Attachment {
  name: string;
  mediaType: string;
  bytes: Buffer;
}

/** A picture that the HTML shows by its Content-ID (RFC 2392). */
export interface Picture {
  /** Without angle brackets. */
  contentId: string;
  mediaType: string;
  bytes: Buffer;
}

/** A part of a mail: headers and base64, as they stand in it. */
export interface MailPart {
  headers: string;
  body: Buffer;
}

const MEDIA_TYPE = /^[a-z0-9][a-z0-9!#$&^_.+-]{0,60}\/[a-z0-9][a-z0-9!#$&^_.+-]{0,60}$/;
/** Base64 is not for them (RFC 2045 6.4, RFC 2046 5.2.1), or they would be read as a part of the mail's own text. */
const NO_FILE = /^(multipart|message)\//;
const EXTENSIONS: ReadonlyMap<string, string> = new Map([
  ['application/pdf', '.pdf'],
  ['image/gif', '.gif'],
  ['image/jpeg', '.jpg'],
  ['image/png', '.png'],
  ['image/webp', '.webp'],
  ['text/calendar', '.ics'],
  ['text/csv', '.csv'],
  ['text/plain', '.txt'],
]);

/** What one mail carries beside its text: pictures that the HTML shows, and files. */
export class MailParts {
  readonly pictures: Picture[] = [];
  readonly files: Attachment[] = [];
  private readonly known = new Map<string, string>();

  /** @param id a name for these parts that no other mail has, such as `m2af…@bounce.example.com` */
  constructor(private readonly id: string) {}

  /** @returns the URL by which the HTML shows it (RFC 2392). The same picture is there once. */
  addPicture(url: string, { mediaType, bytes }: ReferencedContent): string {
    const known = this.known.get(url);
    if (known !== undefined) return known;
    const contentId = `p${this.pictures.length + 1}.${this.id}`;
    this.pictures.push({ contentId, mediaType, bytes });
    this.known.set(url, `cid:${contentId}`);
    return `cid:${contentId}`;
  }

  /** HTML and text may both ask for it: it is there once. */
  addFile(url: string, content: ReferencedContent): void {
    const key = `file ${url}`;
    if (this.known.has(key)) return;
    this.known.set(key, '');
    this.files.push({ ...content, name: nameInUrl(url) });
  }
}

/** For a page in place of a mail: pictures stand in it. */
export class PageParts extends MailParts {
  constructor() {
    super('');
  }

  override addPicture(_url: string, { mediaType, bytes }: ReferencedContent): string {
    return `data:${mediaType};base64,${bytes.toString('base64')}`;
  }

  override addFile(): void {}
}

/** With a name and a type that can stand in a header, and do no harm where the file is saved. */
export function safeAttachment({ name, mediaType, bytes }: Attachment): Attachment {
  const type = MEDIA_TYPE.test(mediaType) && !NO_FILE.test(mediaType) ? mediaType : 'application/octet-stream';
  return { name: safeFileName(name, `attachment${EXTENSIONS.get(type) ?? ''}`), mediaType: type, bytes };
}

export function filePart(attachment: Attachment): MailPart {
  const { name, mediaType, bytes } = safeAttachment(attachment);
  const disposition = `Content-Disposition: attachment${fileNameParameter(name)}\r\n\r\n`;
  return { headers: typeHeaders(mediaType) + disposition, body: base64Lines(bytes) };
}

export function picturePart({ contentId, mediaType, bytes }: Picture): MailPart {
  const headers = `${typeHeaders(mediaType)}Content-ID:\r\n <${contentId}>\r\nContent-Disposition: inline\r\n\r\n`;
  return { headers, body: base64Lines(bytes) };
}

const typeHeaders = (mediaType: string): string =>
  `Content-Type: ${mediaType}\r\nContent-Transfer-Encoding: base64\r\n`;

function nameInUrl(url: string): string {
  const path = URL.canParse(url) ? new URL(url).pathname : '';
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** Recipients share what was fetched: it is encoded once. */
const encoded = new WeakMap<Buffer, Buffer>();

/** RFC 2045 6.8: lines of 76 characters. The last has no end of its own. */
function base64Lines(bytes: Buffer): Buffer {
  const known = encoded.get(bytes);
  if (known) return known;
  const lines = bytes.toString('base64').match(/.{1,76}/g) ?? [];
  const made = Buffer.from(lines.join('\r\n'), 'latin1');
  encoded.set(bytes, made);
  return made;
}
