/** How the inbox departs from plain acceptance. */
export interface InboxRule {
  /** Only for these recipient addresses; a message matches when any of its recipients does. Ignored at `connect` and `mail`. */
  match?: RegExp;
  /** Refuse, at this point of the dialogue, with this 4xx or 5xx code. `data` is the answer to the final dot. */
  reply?: { at: 'connect' | 'mail' | 'rcpt' | 'data'; code: number; text: string };
  /** Wait this long before the answer: to `reply.at`, and without a `reply` to the final dot. */
  delayMs?: number;
  /**
   * Cut the connection: `before-dot` (message not received), `after-dot` (received, recorded as dot, not accepted),
   * `after-250-lost` (recorded as accepted, but the client never hears it).
   */
  drop?: 'before-dot' | 'after-dot' | 'after-250-lost';
  /** Applies this often, then no more. Default: always. */
  times?: number;
}

/** Points at which a rule may apply; `begin` is the start of the message, `data` its final dot. */
export type Stage = 'connect' | 'mail' | 'rcpt' | 'begin' | 'data';

/** Rules in force; the first one that fits a stage is used (and used up). */
export class Rules {
  #rules: { rule: InboxRule; left: number }[] = [];

  add(rule: InboxRule): void {
    const code = rule.reply?.code;
    if (code !== undefined && (code < 400 || code > 599)) throw new Error(`not a refusal: ${code}`);
    this.#rules.push({ rule, left: rule.times ?? Number.POSITIVE_INFINITY });
  }

  clear(): void {
    this.#rules = [];
  }

  take(stage: Stage, recipients: string[]): InboxRule | undefined {
    const found = this.#rules.find(({ rule, left }) => left > 0 && stageOf(rule) === stage && fits(rule, recipients));
    if (found) found.left -= 1;
    return found?.rule;
  }
}

/** Drops and bare delays belong to the message. */
function stageOf(rule: InboxRule): Stage {
  if (rule.drop === 'before-dot') return 'begin';
  return rule.reply?.at ?? 'data';
}

function fits(rule: InboxRule, recipients: string[]): boolean {
  if (!rule.match || recipients.length === 0) return true;
  // A sticky or global expression would remember where it stopped.
  const pattern = new RegExp(rule.match.source, rule.match.flags.replace(/[gy]/g, ''));
  return recipients.some((address) => pattern.test(address));
}
