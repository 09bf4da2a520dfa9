export interface ContentType {
  /** `type/subtype` in lower case. */
  type: string;
  /** Names in lower case; the first of a name counts. */
  parameters: ReadonlyMap<string, string>;
}

const MAX_PARAMETERS = 30;
const PARAMETER = /;\s{0,20}([A-Za-z0-9*_-]{1,60})\s{0,20}=\s{0,20}(?:"([^"\\]{0,2000})"|([^\s;"]{1,500}))/g;

/** @param value of a Content-Type field (RFC 2045 5.1); '' gives `fallback` */
export function parseContentType(value: string, fallback = 'text/plain'): ContentType {
  const type = /^\s*([A-Za-z0-9!#$&^_.+-]{1,80}\/[A-Za-z0-9!#$&^_.+-]{1,80})/.exec(value)?.[1]?.toLowerCase();
  const parameters = new Map<string, string>();
  for (const [, name = '', quoted, token] of value.slice(0, 10_000).matchAll(PARAMETER)) {
    if (parameters.size >= MAX_PARAMETERS) break;
    const key = name.toLowerCase();
    if (!parameters.has(key)) parameters.set(key, quoted ?? token ?? '');
  }
  return { type: type ?? fallback, parameters };
}
