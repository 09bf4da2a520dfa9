import {
  type CompiledLink,
  FIRST_CLICK_ORDINAL,
  MAX_ORDINAL,
  PIXEL_ORDINAL,
  type TargetSegment,
  UNSUBSCRIBE_ORDINAL,
} from './mail-program.js';
import type { PartSource } from './template-problem.js';

const MAX_NAME = 255;

/** The links of one mail. Pixel and unsubscribe link are always there. */
export class LinkRegistry {
  readonly links: CompiledLink[] = [fixedLink(PIXEL_ORDINAL, 'pixel'), fixedLink(UNSUBSCRIBE_ORDINAL, 'unsubscribe')];

  /**
   * Gives a tracked link its ordinal. Too many are reported once.
   * @param url the target as text @param name the target's text when empty
   */
  add(source: PartSource, offset: number, name: string, url: string, target: TargetSegment[]): number {
    const ordinal = FIRST_CLICK_ORDINAL + this.links.length - 2;
    if (ordinal === MAX_ORDINAL + 1)
      source.report(
        offset,
        `The mail has more than ${MAX_ORDINAL - 2} tracked links.`,
        'Set data-track="off" on some.',
      );
    const personalised = target.some((piece) => typeof piece !== 'string');
    this.links.push({ ordinal, purpose: 'click', name: linkName(name) || linkName(url), url, target, personalised });
    return ordinal;
  }
}

function fixedLink(ordinal: number, purpose: 'pixel' | 'unsubscribe'): CompiledLink {
  return { ordinal, purpose, name: purpose, url: '', target: [], personalised: false };
}

/** Cut between code points, so that no half of a surrogate pair is left. */
function linkName(text: string): string {
  return [...text.trim().replace(/\s+/g, ' ')].slice(0, MAX_NAME).join('').trim();
}
