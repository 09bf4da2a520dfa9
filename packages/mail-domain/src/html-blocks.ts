import { type HtmlPlace, placeOf } from './html-context.js';
import type { HtmlToken, StartTag } from './html-tokens.js';
import type { Template } from './template.js';
import type { PartSource } from './template-problem.js';

const VOID = new Set([
  ...['area', 'base', 'br', 'col', 'embed', 'hr', 'img', 'input', 'keygen', 'link', 'meta', 'param', 'source', 'track'],
  'wbr',
]);
/** HTML closes them by itself: a branch may leave them open. */
const END_OPTIONAL = new Set([
  ...['colgroup', 'dd', 'dt', 'li', 'optgroup', 'option', 'p', 'tbody', 'td', 'tfoot', 'th', 'thead', 'tr'],
]);
const WHOLE = 'Put the whole element inside, or write it out in each branch.';

/**
 * Reports blocks whose branches are no whole pieces: whichever branch a mail gets, what stands behind the block must be in
 * the same place of the HTML.
 */
export function checkBlocks(source: PartSource, { blocks, masked }: Template, tokens: readonly HtmlToken[]): void {
  for (const { tags } of blocks) {
    const places = tags.map(({ start, end }) => placeOf(masked, tokens, start, end));
    const [first] = places;
    if (!first || places.some(({ kind }) => kind === 'refused')) continue;
    const stray = tags.find((_tag, i) => !isSamePlace(first, places[i]));
    if (stray) source.report(stray.start, 'A block opens in one place of the HTML and goes on in another.', WHOLE);
    else if (first.kind === 'text')
      for (const [i, tag] of tags.slice(0, -1).entries())
        checkBranch(source, tokens, tag.end, tags[i + 1]?.start ?? tag.end);
  }
}

function isSamePlace(a: HtmlPlace, b: HtmlPlace | undefined): boolean {
  if (a.kind === 'text') return b?.kind === 'text' && a.conditional === b.conditional;
  return a.kind === 'attribute' && b?.kind === 'attribute' && a.attribute === b.attribute;
}

/** What only Outlook reads is balanced for itself: MJML opens a table in one conditional comment and closes it in another. */
function checkBranch(source: PartSource, tokens: readonly HtmlToken[], start: number, end: number): void {
  const inside = tokens.filter((token) => token.start >= start && token.end <= end);
  for (const conditional of [false, true])
    checkBalance(
      source,
      inside.filter((token) => token.conditional === conditional),
    );
}

function checkBalance(source: PartSource, tokens: readonly HtmlToken[]): void {
  const open: StartTag[] = [];
  for (const token of tokens) {
    if (token.kind === 'start' && !isEmpty(source, token)) open.push(token);
    if (token.kind !== 'end' || VOID.has(token.name)) continue;
    const at = open.findLastIndex(({ name }) => name === token.name);
    if (at < 0) {
      source.report(token.start, `</${token.name}> closes what was opened outside of its block.`, WHOLE);
      return;
    }
    open.length = at;
  }
  const left = open.find(({ name }) => !END_OPTIONAL.has(name));
  if (left) source.report(left.start, `<${left.name}> is opened in a block and closed outside of it.`, WHOLE);
}

/** `<o:p/>` and the like are whole; in HTML itself the slash means nothing. */
function isEmpty(source: PartSource, { name, end }: StartTag): boolean {
  return VOID.has(name) || (name.includes(':') && source.text[end - 2] === '/');
}
