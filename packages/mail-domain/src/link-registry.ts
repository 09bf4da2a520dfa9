import {
  type CompiledLink,
  FIRST_FREE_ORDINAL,
  type LinkSegment,
  MAX_ORDINAL,
  PIXEL_ORDINAL,
  type TargetSegment,
  UNSUBSCRIBE_ORDINAL,
} from './mail-program.js';
import type { SpecialLink } from './template.js';
import type { PartSource } from './template-problem.js';

const MAX_NAME = 255;

/** The links of one mail. Pixel and unsubscribe link are always there. */
export class LinkRegistry {
  readonly links: CompiledLink[] = [fixedLink(PIXEL_ORDINAL, 'pixel'), fixedLink(UNSUBSCRIBE_ORDINAL, 'unsubscribe')];
  private overflow = false;

  /**
   * Gives a tracked link its ordinal, or a personalised link in loops one for each round. Too many are reported once.
   * @param url the target as text @param name the target's text when empty @param loops how often those around it run
   */
  add(
    source: PartSource,
    offset: number,
    { name, url, target, loops }: { name: string; url: string; target: TargetSegment[]; loops: readonly number[] },
  ): LinkSegment {
    const personalised = target.some((piece) => typeof piece !== 'string');
    const rounds = personalised ? loops.reduce((product, count) => product * count, 1) : 1;
    const ordinal = FIRST_FREE_ORDINAL + this.links.length - 2;
    if (ordinal + rounds - 1 > MAX_ORDINAL) this.reportOverflow(source, offset);
    const link = { purpose: 'click' as const, name: linkName(name) || linkName(url), url, personalised };
    for (let round = 0; round < Math.min(rounds, MAX_ORDINAL); round += 1)
      this.links.push({ ...link, ordinal: ordinal + round, target: round === 0 ? target : [] });
    return rounds === 1 ? { link: ordinal } : { link: ordinal, loops: [...loops] };
  }

  /** The unsubscribe link or the web version. */
  special(link: SpecialLink): LinkSegment {
    if (link === 'unsubscribe_url') return { link: UNSUBSCRIBE_ORDINAL };
    const known = this.links.find(({ purpose }) => purpose === 'web');
    if (known) return { link: known.ordinal };
    const web = fixedLink(FIRST_FREE_ORDINAL + this.links.length - 2, 'web');
    this.links.push(web);
    return { link: web.ordinal };
  }

  private reportOverflow(source: PartSource, offset: number): void {
    if (!this.overflow)
      source.report(
        offset,
        `The mail has more than ${MAX_ORDINAL - 2} tracked links; one in a loop counts once for each round.`,
        'Set data-track="off" on some, or give loops a limit: {% for p in … limit: 3 %}.',
      );
    this.overflow = true;
  }
}

function fixedLink(ordinal: number, purpose: 'pixel' | 'unsubscribe' | 'web'): CompiledLink {
  return { ordinal, purpose, name: purpose, url: '', target: [], personalised: false };
}

/** Cut between code points, so that no half of a surrogate pair is left. */
function linkName(text: string): string {
  return [...text.trim().replace(/\s+/g, ' ')].slice(0, MAX_NAME).join('').trim();
}
