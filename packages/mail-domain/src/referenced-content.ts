import { escapeHtml, escapeText } from './escape.js';
import type { ContentKind, ContentSegment } from './mail-program.js';
import { contentUrl, type ReferencedContent } from './render-data.js';
import { RenderError } from './render-error.js';
import type { RenderScope } from './render-scope.js';
import { safeHtml } from './safe-html.js';
import { textOfHtml } from './text-of-html.js';

/** Pictures that mail clients show; SVG is a document that can do things. */
const PICTURES = new Set(['image/gif', 'image/jpeg', 'image/png', 'image/webp']);

/**
 * What stands in the place of referenced content: text, safe HTML, the URL of a picture, or nothing for an attachment.
 * @throws RenderError when it could not be fetched and the mailing's rule says so
 */
export function contentText(segment: ContentSegment, scope: RenderScope): string {
  const { content: field, kind } = segment;
  const url = contentUrl(scope.fields[field]);
  if (url === '') return '';
  const content = scope.data.content(url, kind);
  if (!content || !isOfKind(content.mediaType, kind)) {
    const rule = scope.mailing.settings.missingContent;
    if (rule !== 'do_not_send') return typeof rule === 'object' ? defaultText(segment, rule.default) : '';
    throw new RenderError(`The ${kind} at ${escapeText(url).slice(0, 200)} is not there.`);
  }
  switch (kind) {
    case 'text':
      return kept(texts, content, () => decode(content));
    case 'html': {
      const html = kept(fragments, content, () => safeHtml(decode(content)));
      return segment.escape === 'html' ? html : textOfHtml(html);
    }
    case 'picture':
      return scope.parts.addPicture(url, content);
    case 'attachment':
      scope.parts.addFile(url, content);
      return '';
  }
}

/** A text: also where a fragment of HTML should stand. */
function defaultText({ kind, escape: place }: ContentSegment, text: string): string {
  if (kind === 'html' && place === 'html') return escapeHtml(text);
  return kind === 'text' || kind === 'html' ? text : '';
}

function isOfKind(mediaType: string, kind: ContentKind): boolean {
  if (kind === 'picture') return PICTURES.has(mediaType);
  return kind === 'attachment' || mediaType.startsWith('text/') || mediaType === 'application/xhtml+xml';
}

const texts = new WeakMap<ReferencedContent, string>();
const fragments = new WeakMap<ReferencedContent, string>();

/** Recipients share what was fetched: it is read once. */
function kept(cache: WeakMap<ReferencedContent, string>, content: ReferencedContent, make: () => string): string {
  const known = cache.get(content);
  if (known !== undefined) return known;
  const made = make();
  cache.set(content, made);
  return made;
}

function decode({ bytes, charset }: ReferencedContent): string {
  try {
    return new TextDecoder(charset ?? 'utf-8').decode(bytes);
  } catch {
    return new TextDecoder().decode(bytes);
  }
}
