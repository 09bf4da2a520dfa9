import { DEFAULT_TEMPLATE_SETTINGS, type TemplateSettings } from './template-settings.js';

/** What an author wrote, as it is frozen in a mailing. Placeholders are intact; MJML is HTML already. */
export interface MailSource {
  /** Names of the list's fields, in their order. */
  fields: readonly string[];
  /** Indexes of the fields that say yes or no: in a condition `false`, `no` and `0` are no. */
  booleanFields?: readonly number[];
  subject: string;
  fromName: string;
  fromAddress: string;
  /** An address; placeholders may stand in it. */
  replyTo: string | null;
  html: string;
  /** Made from the HTML when null. */
  text: string | null;
  /** Whether links are counted; a single link is left out with `data-track="off"`. */
  linkTracking: boolean;
  /** Columns of the client's product data; null while nobody knows them: then none is refused. */
  productColumns?: readonly string[] | null;
  settings?: Partial<TemplateSettings>;
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

/** What an expression gives (Liquid; names are resolved, see expression-reader.ts). */
export interface OutputSegment {
  output: string;
  escape: FieldEscape;
}

/** `text` and `html` are put in; a `picture` is a part of the mail and stands as `cid:` URL; an `attachment` shows nothing. */
export type ContentKind = 'text' | 'html' | 'picture' | 'attachment';

/** What is fetched from the URL in a field. */
export interface ContentSegment {
  content: number;
  kind: ContentKind;
  escape: FieldEscape;
}

/**
 * The URL of the link with this ordinal. In loops it is the first of a block: `loops` holds how often each of them runs
 * at most, the outermost first, and every round takes the next ordinal.
 */
export interface LinkSegment {
  link: number;
  loops?: number[];
}

/** A whole URL that starts with a value and is not counted; `#` unless it comes out as http or https. */
export interface UrlSegment {
  url: TargetSegment[];
}

/** The segments up to the next one of the same block are there if `test` holds, and none before did. */
export interface IfSegment {
  tag: 'if' | 'elsif';
  test: string;
  negated?: true;
}

/** The segments up to the block's end are there once for each item. `from` gives the items or the product IDs. */
export interface ForSegment {
  tag: 'for';
  name: string;
  from: string;
  each: 'item' | 'product' | 'recommendation';
  limit: number;
  reversed?: true;
}

export interface AssignSegment {
  tag: 'assign';
  name: string;
  value: string;
}

/** Says what of the following is there. Blocks are closed in the order in which they were opened. */
export type TagSegment = IfSegment | ForSegment | AssignSegment | { tag: 'else' } | { tag: 'end' };

/** A piece of a URL: static, or a value with `url` or `url-start`. */
export type TargetSegment = string | FieldSegment | OutputSegment | TagSegment;

export type Segment = TargetSegment | ContentSegment | LinkSegment | UrlSegment;

export interface CompiledLink {
  /** Pixel 1, unsubscribe 2, the others from 3 in the order of the document. */
  ordinal: number;
  purpose: 'pixel' | 'click' | 'unsubscribe' | 'web';
  /** At most 255 characters. */
  name: string;
  /** The target as text: what a static link leads to, or the template of a personalised one. Empty for the others. */
  url: string;
  /** Empty for a later round of a loop: the block's first link has it. */
  target: TargetSegment[];
  /** The target differs by recipient and travels in the link, sealed. */
  personalised: boolean;
}

/** Where an ID comes from: the field with this index, or a text of the template. */
export type IdSource = { field: number } | { text: string };

/** What rendering asks of `RenderData`, so that it can be there before. */
export interface ProgramNeeds {
  /** Product IDs, separated by commas. */
  products: IdSource[];
  /** IDs of products whose recommendations are asked for. */
  anchors: IdSource[];
  /** Fields that hold URLs. */
  content: { field: number; kind: ContentKind }[];
}

/** A mail ready to be rendered: plain JSON without NUL and lone surrogates, so that PostgreSQL's jsonb takes it. */
export interface CompiledMail {
  version: 2;
  subject: Segment[];
  fromName: Segment[];
  fromAddress: string;
  replyTo: Segment[] | null;
  html: Segment[];
  text: Segment[];
  links: CompiledLink[];
  booleanFields: number[];
  settings: TemplateSettings;
  needs: ProgramNeeds;
}

/** As mailings of before hold it: fields and links only. */
export interface CompiledMailV1 {
  version: 1;
  subject: Segment[];
  fromName: Segment[];
  fromAddress: string;
  replyTo: string | null;
  html: Segment[];
  text: Segment[];
  links: CompiledLink[];
}

export type StoredMail = CompiledMail | CompiledMailV1;

/** @throws Error for a program of another version */
export function currentProgram(stored: StoredMail): CompiledMail {
  if (stored.version === 2) return stored;
  const { version, replyTo, ...kept } = stored;
  if (version !== 1) throw new Error(`a mail program of version ${version} is unknown`);
  return {
    ...kept,
    version: 2,
    replyTo: replyTo === null ? null : [replyTo],
    booleanFields: [],
    settings: DEFAULT_TEMPLATE_SETTINGS,
    needs: { products: [], anchors: [], content: [] },
  };
}

export const PIXEL_ORDINAL = 1;
export const UNSUBSCRIBE_ORDINAL = 2;
export const FIRST_FREE_ORDINAL = 3;
export const MAX_ORDINAL = 999;

export function isTag(segment: Segment): segment is TagSegment {
  return typeof segment === 'object' && 'tag' in segment;
}

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
