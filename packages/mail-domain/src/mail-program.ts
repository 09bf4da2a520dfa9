/** What an author wrote, as it is frozen in a mailing. Placeholders are intact; MJML is HTML already. */
export interface MailSource {
  /** Names of the list's fields, in their order. */
  fields: readonly string[];
  subject: string;
  fromName: string;
  fromAddress: string;
  replyTo: string | null;
  html: string;
  /** Made from the HTML when null. */
  text: string | null;
  /** Whether links are counted; a single link is left out with `data-track="off"`. */
  linkTracking: boolean;
}

/**
 * How a value is written where it stands. `url`: percent-encoded as one component. `url-start`: as it is, but only when
 * the whole URL is an absolute http or https URL.
 */
export type FieldEscape = 'html' | 'attribute' | 'url' | 'url-start' | 'text' | 'header';

/** A value of the recipient: `field` is its index in `MailSource.fields`. */
export interface FieldSegment {
  field: number;
  escape: FieldEscape;
}

/** The URL of the link with this ordinal (pixel, click or unsubscribe). */
export interface LinkSegment {
  link: number;
}

/** A whole URL that starts with a value and is not counted; `#` unless it comes out as http or https. */
export interface UrlSegment {
  url: TargetSegment[];
}

/** A piece of a URL: static, or a value with `url` or `url-start`. */
export type TargetSegment = string | FieldSegment;

export type Segment = string | FieldSegment | LinkSegment | UrlSegment;

export interface CompiledLink {
  /** Pixel 1, unsubscribe 2, clicks from 3 in the order of the document. */
  ordinal: number;
  purpose: 'pixel' | 'click' | 'unsubscribe';
  /** At most 255 characters. */
  name: string;
  /** The target as text: what a static link leads to, or the template of a personalised one. Empty for the others. */
  url: string;
  target: TargetSegment[];
  /** The target differs by recipient and travels in the link, sealed. */
  personalised: boolean;
}

/** A mail ready to be rendered: plain JSON without NUL and lone surrogates, so that PostgreSQL's jsonb takes it. */
export interface CompiledMail {
  version: 1;
  subject: Segment[];
  fromName: Segment[];
  fromAddress: string;
  replyTo: string | null;
  html: Segment[];
  text: Segment[];
  links: CompiledLink[];
}

export const PIXEL_ORDINAL = 1;
export const UNSUBSCRIBE_ORDINAL = 2;
export const FIRST_CLICK_ORDINAL = 3;
export const MAX_ORDINAL = 999;

/** Neighbouring strings become one, empty ones none. */
export function joinStatic(segments: readonly Segment[]): Segment[] {
  const joined: Segment[] = [];
  for (const segment of segments) {
    const last = joined.at(-1);
    if (typeof segment === 'string' && typeof last === 'string') joined[joined.length - 1] = last + segment;
    else if (segment !== '') joined.push(segment);
  }
  return joined;
}

/** A part ends with a line end: what is last in it can be neither a value nor white space. */
export function endWithNewline(segments: readonly Segment[]): Segment[] {
  const joined = joinStatic(segments);
  const last = joined.at(-1);
  return typeof last === 'string' && last.endsWith('\n') ? joined : joinStatic([...joined, '\n']);
}
