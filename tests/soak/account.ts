import { createReadStream, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { exportPath } from '@postloop/contracts';
import { readRows } from '@postloop/csv-dialect';
import type { SmtpInbox } from '@postloop/local-stack';
import { acceptedAddresses, acceptedTwice } from '../support/balance.js';
import type { TestClient, World } from '../support/world.js';
import type { Load } from './load.js';
import type { People, Reactions } from './people.js';

/** What went in against what came out: handed-over rows, the mail server's record, the response files. */
export interface Account {
  mails: number;
  received: number;
  refused: number;
  unknown: number;
  /** Rows without mail, without a refusal, and not unknown; rows that are not in the sending log; events that were answered and not exported. */
  missing: number;
  /** Message-IDs accepted twice; rows twice in sending logs; events exported more often than they happened. */
  twice: number;
  parts: Record<string, number>;
}

export async function account(
  world: World,
  inbox: SmtpInbox,
  { files }: Pick<Load, 'files'>,
  people: People,
  clients: readonly TestClient[],
): Promise<Account> {
  const { rows } = await world.db.pool.query<{ email: string; status: string }>(
    `SELECT r.email, d.status FROM mailing_recipient r JOIN delivery d ON d.mailing_id = r.mailing_id AND d.recipient_id = r.id
      WHERE d.status IN ('unknown', 'could_not_be_sent')`,
  );
  const unknown = new Set(rows.filter(({ status }) => status === 'unknown').map(({ email }) => email));
  const refused = new Set(rows.filter(({ status }) => status !== 'unknown').map(({ email }) => email));
  const received = acceptedAddresses(inbox);
  const addresses = files.flatMap((file) => file.addresses);
  const logged = await countExported(world, clients, 'mailingrecipients');
  const parts = {
    'mails missing': addresses.filter((one) => !received.has(one) && !unknown.has(one) && !refused.has(one)).length,
    'mails twice': acceptedTwice(inbox),
    'sending log: missing': addresses.filter((one) => !logged.has(one)).length,
    'sending log: twice': addresses.filter((one) => (logged.get(one) ?? 0) > 1).length,
    ...eventParts('opens', people.opens, await countExported(world, clients, 'opens')),
    ...eventParts('clicks', people.clicks, await countExported(world, clients, 'clicks')),
  };
  const sum = (word: string) =>
    Object.entries(parts).reduce((total, [name, count]) => total + (name.endsWith(word) ? count : 0), 0);
  return {
    mails: addresses.length,
    received: received.size,
    refused: refused.size,
    unknown: unknown.size,
    missing: sum('missing'),
    twice: sum('twice'),
    parts,
  };
}

function eventParts(
  kind: string,
  happened: ReadonlyMap<string, Reactions>,
  exported: ReadonlyMap<string, number>,
): Record<string, number> {
  let missing = 0;
  let twice = 0;
  let answered = 0;
  for (const [address, one] of happened) {
    const count = exported.get(address) ?? 0;
    answered += one.answered;
    missing += Math.max(0, one.answered - count);
    twice += Math.max(0, count - one.answered - one.unclear);
  }
  return { [`${kind} answered`]: answered, [`${kind}: missing`]: missing, [`${kind}: twice`]: twice };
}

/** How often an address stands in the files of a kind, over all runs. */
async function countExported(
  { stack }: World,
  clients: readonly TestClient[],
  kind: string,
): Promise<Map<string, number>> {
  const count = new Map<string, number>();
  for (const client of clients) {
    const folder = join(stack.sftpRoot, exportPath(client.directory));
    for (const name of readdirSync(folder).filter((one) => !one.startsWith('.') && one.includes(`_${kind}`))) {
      let at: number | undefined;
      for await (const { values } of readRows(createReadStream(join(folder, name)))) {
        at ??= values.indexOf('userId');
        const address = values[at] ?? '';
        count.set(address, (count.get(address) ?? 0) + 1);
      }
    }
  }
  return count;
}
