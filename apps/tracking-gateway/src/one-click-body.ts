const NAME = 'list-unsubscribe';
const VALUE = 'one-click';

/**
 * Whether the body of a POST says `List-Unsubscribe=One-Click` (RFC 8058 3.1 and 3.2), as
 * application/x-www-form-urlencoded (also when nothing is declared) or as multipart/form-data. Letter case does not matter.
 */
export function isOneClick(contentType: string | undefined, body: string): boolean {
  const boundary = /^multipart\/form-data\b.*;\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))/i.exec(contentType ?? '');
  const mark = boundary?.[1] ?? boundary?.[2];
  return mark === undefined ? hasUrlEncoded(body) : hasPart(body, mark);
}

function hasUrlEncoded(body: string): boolean {
  return [...new URLSearchParams(body.trim())].some(([name, value]) => says(name, value));
}

function hasPart(body: string, boundary: string): boolean {
  return body.split(`--${boundary}`).some((part) => {
    const gap = /\r?\n\r?\n/.exec(part);
    if (!gap) return false;
    const disposition = /^content-disposition:.*;\s*name=(?:"([^"]*)"|([^\s;"]+))/im.exec(part.slice(0, gap.index));
    return says(disposition?.[1] ?? disposition?.[2] ?? '', part.slice(gap.index + gap[0].length));
  });
}

const says = (name: string, value: string): boolean =>
  name.trim().toLowerCase() === NAME && value.trim().toLowerCase() === VALUE;
