import type { SmtpInbox } from '@postloop/local-stack';
import { readMail } from '../support/mail.js';
import type { Random } from '../support/random.js';

/** What people did, by address. */
export interface Reactions {
  /** The gateway answered: to be exported exactly as often. */
  answered: number;
  /** The connection broke: recorded or not. */
  unclear: number;
}

export interface People {
  opens: Map<string, Reactions>;
  clicks: Map<string, Reactions>;
  /** Some of those who got a mail since the last call open it, and some of those click. */
  react(inbox: SmtpInbox): Promise<void>;
}

const OF_HUNDRED = { open: 20, click: 40 };

export function startPeople(random: Random): People {
  const opens = new Map<string, Reactions>();
  const clicks = new Map<string, Reactions>();
  let seen = 0;
  return {
    opens,
    clicks,
    async react(inbox) {
      const accepted = inbox.journal().filter(({ type }) => type === 'accepted');
      const fresh = accepted.slice(seen);
      seen = accepted.length;
      for (const entry of fresh) {
        if (random.below(100) >= OF_HUNDRED.open) continue;
        const mail = await readMail(inbox.raw(entry));
        const address = entry.envelopeTo[0] ?? '';
        await visit(mail.pixel, address, opens);
        if (random.below(100) < OF_HUNDRED.click) await visit(mail.clicks[0] ?? '', address, clicks);
      }
    },
  };
}

async function visit(url: string, address: string, count: Map<string, Reactions>): Promise<void> {
  const reactions = count.get(address) ?? { answered: 0, unclear: 0 };
  count.set(address, reactions);
  try {
    const { status } = await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(10_000) });
    if (status === 200 || status === 302) reactions.answered += 1;
    else reactions.unclear += 1;
  } catch {
    reactions.unclear += 1;
  }
}
