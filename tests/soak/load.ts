import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inboxPaths } from '@postloop/contracts';
import { formatRow, type Row } from '@postloop/csv-dialect';
import type { Random } from '../support/random.js';
import { nextName, type TestClient, type World } from '../support/world.js';

/** What the customers handed over. The only account of it: the database is not asked what it was given. */
export interface Load {
  files: { client: TestClient; name: string; addresses: string[] }[];
  /** Lays one more file into an inbox, as a customer does. @returns its rows */
  upload(): number;
  /** Asks for a look at every inbox. */
  poll(): Promise<void>;
}

export function startLoad(world: World, clients: readonly TestClient[], random: Random): Load {
  const files: Load['files'] = [];
  return {
    files,
    upload() {
      const client = random.of(clients);
      const number = files.length;
      const addresses = Array.from(
        { length: 60 + random.below(120) },
        (_, i) => `p${i}.f${number}@${client.directory}.example`,
      );
      const rows = addresses.map((email, i): Row => [email, String(client.sources[0]), null, 'Ms', `Ada ${i}`, 'L']);
      const name = nextName();
      const inbox = join(world.stack.sftpRoot, inboxPaths(client.directory, 'import').inbox);
      mkdirSync(inbox, { recursive: true });
      // On the server's disk, because the customer's own connection is not what is tried here.
      writeFileSync(join(inbox, `.${name}.part`), rows.map(formatRow).join(''));
      renameSync(join(inbox, `.${name}.part`), join(inbox, name));
      files.push({ client, name, addresses });
      return addresses.length;
    },
    async poll() {
      for (const { id } of clients) await world.producer.enqueue('inboxPoll', { v: 1, clientId: id });
    },
  };
}
