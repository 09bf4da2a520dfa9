import { type DefaultTreeAdapterMap, defaultTreeAdapter, parseFragment, serialize } from 'parse5';
import { schemeOf } from './safe-url.js';

type Node = DefaultTreeAdapterMap['childNode'];
type Parent = DefaultTreeAdapterMap['parentNode'];

/** What a fragment may hold; other elements go and leave their content. */
const ELEMENTS = new Set([
  ...['a', 'abbr', 'b', 'big', 'blockquote', 'br', 'caption', 'center', 'cite', 'code', 'col', 'colgroup', 'dd', 'del'],
  ...['div', 'dl', 'dt', 'em', 'figcaption', 'figure', 'font', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'hr', 'i', 'img'],
  ...['ins', 'kbd', 'li', 'ol', 'p', 'pre', 'q', 's', 'samp', 'section', 'small', 'span', 'strike', 'strong', 'sub'],
  ...['sup', 'table', 'tbody', 'td', 'tfoot', 'th', 'thead', 'tr', 'tt', 'u', 'ul', 'var', 'wbr'],
]);
/** They go with all that is in them. */
const DROPPED = new Set([
  ...['applet', 'audio', 'base', 'button', 'canvas', 'embed', 'form', 'frame', 'frameset', 'head', 'iframe', 'input'],
  ...['link', 'math', 'meta', 'noembed', 'noframes', 'noscript', 'object', 'option', 'plaintext', 'script', 'select'],
  ...['style', 'svg', 'template', 'textarea', 'title', 'video', 'xmp'],
]);
const ATTRIBUTES = new Set([
  ...[
    'abbr',
    'align',
    'alt',
    'background',
    'bgcolor',
    'border',
    'cellpadding',
    'cellspacing',
    'class',
    'color',
    'cols',
  ],
  ...[
    'colspan',
    'dir',
    'face',
    'height',
    'href',
    'hspace',
    'lang',
    'nowrap',
    'role',
    'rowspan',
    'scope',
    'size',
    'span',
  ],
  ...['src', 'start', 'style', 'summary', 'title', 'type', 'valign', 'value', 'vspace', 'width'],
]);
const URL_SCHEMES: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ['href', new Set(['http', 'https', 'mailto', 'tel'])],
  ['src', new Set(['http', 'https'])],
  ['background', new Set(['http', 'https'])],
]);
/** Style that loads or runs something, or hides what it says. */
const ACTIVE_STYLE = /url|expression|import|behavior|binding|javascript|position|[\\<@]|\/\*/i;

/** A fragment of somebody else's HTML, reduced to what shows text and pictures. Scripts, styles and forms go. */
export function safeHtml(fragment: string): string {
  const root = parseFragment(fragment);
  cleanChildren(root);
  return serialize(root);
}

function cleanChildren(parent: Parent): void {
  // Those of an element that goes move up and are looked at in their turn.
  for (let i = 0; i < parent.childNodes.length; ) {
    const child = parent.childNodes[i];
    if (child && keeps(child)) i += 1;
    else if (child) removeNode(parent, child);
  }
}

function keeps(node: Node): boolean {
  if (node.nodeName === '#text') return true;
  if (!('tagName' in node) || !ELEMENTS.has(node.tagName) || node.namespaceURI !== 'http://www.w3.org/1999/xhtml')
    return false;
  node.attrs = node.attrs.filter(({ name, value }) => isSafeAttribute(name, value));
  cleanChildren(node);
  return true;
}

function removeNode(parent: Parent, node: Node): void {
  if ('tagName' in node && !DROPPED.has(node.tagName) && node.namespaceURI === 'http://www.w3.org/1999/xhtml')
    for (const child of [...node.childNodes]) {
      defaultTreeAdapter.detachNode(child);
      defaultTreeAdapter.insertBefore(parent, child, node);
    }
  defaultTreeAdapter.detachNode(node);
}

function isSafeAttribute(name: string, value: string): boolean {
  if (!ATTRIBUTES.has(name)) return false;
  const schemes = URL_SCHEMES.get(name);
  if (schemes) return schemes.has(schemeOf(value)) || (name === 'href' && value.startsWith('#'));
  return name !== 'style' || !ACTIVE_STYLE.test(value);
}
