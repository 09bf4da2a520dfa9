import type { Answer } from './answers.js';
import { answerClick, answerPersonalisedClick } from './click.js';
import type { GatewayDeps } from './gateway-deps.js';
import { answerOpen } from './open.js';
import type { Visit } from './prefetch.js';

/** What stands in a link of a mail behind its first letter. */
export interface LinkParams {
  token: string;
  sealed?: string | undefined;
}

/** A kind of link that is recorded when it is visited. */
export interface Link {
  /** As metrics call it. */
  name: string;
  path: string;
  answer: (deps: GatewayDeps, visit: Visit, params: LinkParams) => Promise<Answer>;
}

const OPEN: Link = {
  name: 'open',
  path: '/o/:token',
  answer: (deps, visit, { token }) => answerOpen(deps, visit, token),
};
const CLICK: Link = {
  name: 'click',
  path: '/c/:token',
  answer: (deps, visit, { token }) => answerClick(deps, visit, token),
};
const PERSONALISED_CLICK: Link = {
  name: 'personalised_click',
  path: '/c/:token/:sealed',
  answer: (deps, visit, { token, sealed = '' }) => answerPersonalisedClick(deps, visit, token, sealed),
};

export const LINKS: readonly Link[] = [OPEN, CLICK, PERSONALISED_CLICK];

/** The link that a path of this letter, with or without a sealed target, is of. */
export function linkOf(letter: string, sealed: string | undefined): Link | undefined {
  if (letter === 'o') return sealed === undefined ? OPEN : undefined;
  if (letter === 'c') return sealed === undefined ? CLICK : PERSONALISED_CLICK;
  return undefined;
}
