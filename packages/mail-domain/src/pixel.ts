import { PIXEL_ORDINAL, type Segment } from './mail-program.js';

const BEFORE = '<img src="';
const AFTER = '" width="1" height="1" alt="">';

export const PIXEL: Segment[] = [BEFORE, { link: PIXEL_ORDINAL }, AFTER];

/** The HTML of a mail for those who do not read it as a mail. */
export function withoutPixel(segments: readonly Segment[]): Segment[] {
  const at = segments.findIndex(
    (segment) => typeof segment === 'object' && 'link' in segment && segment.link === PIXEL_ORDINAL,
  );
  const [before, after] = [segments[at - 1], segments[at + 1]];
  if (typeof before !== 'string' || typeof after !== 'string') return [...segments];
  if (!before.endsWith(BEFORE) || !after.startsWith(AFTER)) return [...segments];
  return segments
    .with(at - 1, before.slice(0, -BEFORE.length))
    .with(at + 1, after.slice(AFTER.length))
    .toSpliced(at, 1);
}
