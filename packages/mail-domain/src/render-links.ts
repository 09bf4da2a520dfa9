import type { Keyring } from './keyring.js';
import type { CompiledLink, LinkSegment } from './mail-program.js';
import type { RenderScope } from './render-scope.js';
import { planTarget, renderTarget, type TargetFlow } from './render-value.js';
import { MAX_TARGET_BYTES, sealTarget } from './sealed-target.js';
import { signTokens, type TokenPurpose, type TokenRequest } from './token.js';

/** Path below the public URL by purpose; the token follows. */
export const LINK_PATHS: Record<CompiledLink['purpose'], string> = {
  pixel: '/o/',
  click: '/c/',
  unsubscribe: '/u/',
  web: '/w/',
};

const TOKEN_PURPOSE: Record<CompiledLink['purpose'], TokenPurpose> = {
  pixel: 'pixel',
  click: 'click',
  unsubscribe: 'unsubscribe',
  web: 'webVersion',
};

/** The links of a mailing, prepared. */
export interface LinkPlan {
  byOrdinal: ReadonlyMap<number, CompiledLink>;
  targets: ReadonlyMap<number, TargetFlow>;
  /** Those that every mail signs at once: links in loops are signed when they come. */
  requests: TokenRequest[];
}

export function planLinks(links: readonly CompiledLink[]): LinkPlan {
  const targets = links.filter(({ personalised, target }) => personalised && target.length > 0);
  return {
    byOrdinal: new Map(links.map((link) => [link.ordinal, link])),
    targets: new Map(targets.map(({ ordinal, target }) => [ordinal, planTarget(target)])),
    requests: links
      .filter((link) => !isLaterRound(link))
      .map(({ purpose, ordinal }) => ({ purpose: TOKEN_PURPOSE[purpose], ordinal })),
  };
}

const isLaterRound = ({ personalised, target }: CompiledLink): boolean => personalised && target.length === 0;

/** The ordinal of a link in the round that the loops around it are in. */
export function ordinalOf({ link, loops = [] }: LinkSegment, { rounds }: RenderScope): number {
  let round = 0;
  for (const [depth, limit] of loops.entries()) round = round * limit + (rounds[depth] ?? 0);
  return link + round;
}

interface MailLinksOptions {
  plan: LinkPlan;
  keyring: Keyring;
  publicUrl: string;
  mailingId: bigint;
  recipientId: bigint;
  /** Of `plan.requests`, in their order. */
  tokens: readonly string[];
}

/** The links of one mail. */
export class MailLinks {
  private readonly made = new Map<number, string>();

  constructor(
    private readonly options: MailLinksOptions,
    private readonly tokenIndex: ReadonlyMap<number, number>,
  ) {}

  token(ordinal: number): string {
    const index = this.tokenIndex.get(ordinal);
    if (index !== undefined) return this.options.tokens[index] ?? '';
    const { keyring, mailingId, recipientId } = this.options;
    return signTokens(keyring, mailingId, recipientId, [{ purpose: 'click', ordinal }])[0] ?? '';
  }

  /** Its URL; `#` for a personalised one that has no target. It is sealed once, though HTML and text may both hold it. */
  url(segment: LinkSegment, scope: RenderScope): string {
    const { plan, publicUrl } = this.options;
    const target = plan.targets.get(segment.link);
    if (!target) {
      const path = LINK_PATHS[plan.byOrdinal.get(segment.link)?.purpose ?? 'click'];
      return publicUrl + path + this.token(segment.link);
    }
    const ordinal = ordinalOf(segment, scope);
    const known = this.made.get(ordinal);
    if (known !== undefined) return known;
    const url = this.personalised(ordinal, renderTarget(target, scope));
    this.made.set(ordinal, url);
    return url;
  }

  private personalised(ordinal: number, target: string | null): string {
    if (target === null || Buffer.byteLength(target) > MAX_TARGET_BYTES) return '#';
    const token = this.token(ordinal);
    const { publicUrl, keyring } = this.options;
    return `${publicUrl}${LINK_PATHS.click}${token}/${sealTarget(keyring, token, target)}`;
  }
}
