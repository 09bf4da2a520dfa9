import { findRobotName } from './user-agent-names.js';

/** Who was behind an open or a click. Every event is kept, whatever its verdict. */
export type Verdict = 'human' | 'image_proxy' | 'privacy_proxy' | 'scanner' | 'unknown';

export interface EventFacts {
  kind: 'open' | 'click';
  userAgent: string | null;
  /** HTTP method. */
  method: string;
}

export interface Classification {
  verdict: Verdict;
  /** Name of the rule that decided, kept with the event. */
  rule: string;
}

interface Rule extends Classification {
  matches: (facts: EventFacts, userAgent: string) => boolean;
}

const MAX_LENGTH = 512;

/** CUBOT makes telephones. */
const ROBOT_WORDS = /(?<!cu)bot\b|crawl|spider|slurp|preview|headless|facebookexternalhit|monitor/i;

const agent =
  (pattern: RegExp) =>
  (_facts: EventFacts, userAgent: string): boolean =>
    pattern.test(userAgent);

/** The first rule that matches decides. A name is never given to another rule. */
const RULES: readonly Rule[] = [
  { rule: 'head-request', verdict: 'scanner', matches: ({ method }) => method.toUpperCase() === 'HEAD' },
  { rule: 'no-user-agent', verdict: 'unknown', matches: (_facts, userAgent) => userAgent === '' },
  { rule: 'google-image-proxy', verdict: 'image_proxy', matches: agent(/\bGoogleImageProxy\b/) },
  { rule: 'yahoo-mail-proxy', verdict: 'image_proxy', matches: agent(/\bYahooMailProxy\b/) },
  {
    // Apple Mail Privacy Protection loads every picture, whether the mail is read or not.
    rule: 'bare-mozilla-open',
    verdict: 'privacy_proxy',
    matches: ({ kind }, userAgent) => kind === 'open' && userAgent === 'Mozilla/5.0',
  },
  { rule: 'bare-mozilla-click', verdict: 'unknown', matches: agent(/^Mozilla\/5\.0$/) },
  {
    rule: 'mail-scanner',
    verdict: 'scanner',
    matches: agent(/barracuda|mimecast|proofpoint|symantec|messagelabs|trend ?micro|fortinet|cisco|forcepoint/i),
  },
  {
    rule: 'http-library',
    verdict: 'scanner',
    matches: agent(/^(curl|wget|python|go-http-client|java|okhttp|libwww|php|ruby|node|axios|apache-httpclient)\b/i),
  },
  {
    rule: 'robot',
    verdict: 'scanner',
    matches: (_facts, userAgent) => ROBOT_WORDS.test(userAgent) || findRobotName(userAgent) !== null,
  },
  { rule: 'browser', verdict: 'human', matches: agent(/^(Mozilla|Opera)\/\d/) },
  { rule: 'mail-client', verdict: 'human', matches: agent(/outlook|thunderbird|apple ?mail|mailbird|emclient/i) },
];

/** @returns the verdict and the rule behind it; `unknown` when no rule matches */
export function classifyEvent(facts: EventFacts): Classification {
  const userAgent = (facts.userAgent ?? '').slice(0, MAX_LENGTH).trim();
  const { verdict, rule } = RULES.find(({ matches }) => matches(facts, userAgent)) ?? {
    verdict: 'unknown',
    rule: 'none',
  };
  return { verdict, rule };
}
