/** Longer ones are cut, before their extension. */
const MAX_NAME = 120;
const MAX_EXTENSION = 12;
/** RFC 2231 section 3: a long value is cut into numbered pieces, so that no line is long. */
const PIECE = 48;

/**
 * A file name that is safe to show and to save: the last part of a path, without control characters, characters that turn
 * the writing direction, or what file systems give a meaning to.
 */
export function safeFileName(name: string, fallback: string): string {
  const last =
    name
      .replace(/\p{Surrogate}/gu, '')
      .split(/[/\\]/)
      .at(-1) ?? '';
  const shown = last
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '')
    .replace(/[<>:"|?*;%]/g, '_')
    .replace(/^[.\s]+|[.\s]+$/g, '');
  if (shown === '') return fallback;
  const extension = /\.[^.]*$/.exec(shown)?.[0] ?? '';
  const kept = [...extension].length <= MAX_EXTENSION ? extension : '';
  const stem = [...shown.slice(0, shown.length - kept.length)];
  return stem.slice(0, MAX_NAME - kept.length).join('') + kept;
}

/** The name as a parameter of a header: `filename="a.pdf"`, or as RFC 2231 has it. Each line starts with a semicolon's break. */
export function fileNameParameter(name: string): string {
  if (/^[\w .()+=-]{1,60}$/.test(name)) return `;\r\n filename="${name}"`;
  const encoded = encodeURIComponent(name).replace(
    /[!'()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  const pieces = encoded.match(new RegExp(`(?:%..|[^%]){1,${PIECE / 3}}`, 'g')) ?? [];
  if (pieces.length === 1) return `;\r\n filename*=UTF-8''${encoded}`;
  return pieces.map((piece, i) => `;\r\n filename*${i}*=${i === 0 ? "UTF-8''" : ''}${piece}`).join('');
}
