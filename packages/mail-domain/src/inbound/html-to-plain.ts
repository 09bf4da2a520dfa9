const BREAKS = new Set([
  'br',
  'p',
  '/p',
  'div',
  '/div',
  'tr',
  '/tr',
  'li',
  'table',
  '/table',
  'h1',
  'h2',
  'h3',
  'hr',
  'pre',
  '/pre',
]);
const HIDDEN = new Set(['script', 'style', 'title']);
const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ' };

/**
 * The words of an HTML notice with line breaks where blocks end. Only for reading what it says: one pass, no tree, so hostile
 * markup costs no more than its length.
 */
export function htmlToPlain(html: string): string {
  let text = '';
  let at = 0;
  while (at < html.length) {
    const open = html.indexOf('<', at);
    if (open < 0) break;
    text += html.slice(at, open);
    const close = html.indexOf('>', open);
    if (close < 0) return decodeEntities(text);
    const tag = html.slice(open + 1, Math.min(close, open + 40)).toLowerCase();
    const name = /^\/?[a-z][a-z0-9]*/.exec(tag)?.[0] ?? '';
    if (BREAKS.has(name)) text += '\n';
    at = HIDDEN.has(name) ? endOfHidden(html, close + 1, name) : close + 1;
  }
  return decodeEntities(text + html.slice(at));
}

function endOfHidden(html: string, from: number, name: string): number {
  const end = html.indexOf(`</${name}`, from);
  return end < 0 ? html.length : end;
}

function decodeEntities(text: string): string {
  return text.replace(/&(?:#(\d{1,6})|([a-z]{2,6}));/gi, (all, code: string | undefined, name: string | undefined) => {
    if (name !== undefined) return ENTITIES[name.toLowerCase()] ?? all;
    const point = Number(code);
    return point > 0 && point < 0x10000 ? String.fromCharCode(point) : all;
  });
}
