import { selectErasureObstacles, selectRecipientTrace } from '@postloop/db';
import { normaliseAddress } from '@postloop/mail-domain';
import type { Command } from 'commander';
import { withConnections } from '../connections.js';
import { type ErasedAddress, erase } from '../operations/erase.js';
import { facts, table } from '../support/format.js';
import { type Context, leaf, run } from '../support/leaf.js';
import { wholeNumber } from '../support/list-options.js';
import { Problem } from '../support/problem.js';
import { createQuietProgress } from '../support/progress.js';

interface Options {
  timeout: string;
  verify?: boolean;
}

export function addEraseCommand(program: Command): void {
  leaf(program, 'erase <address>', 'erase what is known of an address, in tables and files; it stays suppressed', {
    connects: true,
    writes: true,
  })
    .option('--verify', 'then read every table for what is left (slow when there is much)')
    .option('--timeout <seconds>', 'how long to wait for mails and exports under way', '300')
    .action(run<Options, [string]>(eraseOne));
}

async function eraseOne({ out, options, dryRun, settings }: Context<Options>, text: string) {
  const address = normaliseAddress(text);
  const deadlineMs = wholeNumber(options.timeout, '--timeout', 1, 86_400) * 1000;
  // Also what is no valid address may stand in a file; but a word would be found everywhere.
  if (!/^[\x21-\x7e]+@[\x21-\x7e]+$/.test(address))
    throw new Problem(`"${address}" is no address`, 'Give an address alone: name@example.com.', 2);
  return withConnections(settings(), ['db', 'producer', 'sftp'], async (connections) => {
    if (dryRun) {
      const { recipients, suppressions } = await selectRecipientTrace(connections.db.pool, address);
      const { inFlight } = await selectErasureObstacles(connections.db.pool, address);
      out.result(
        { dryRun, recipients: recipients.length, suppressions: suppressions.length, inFlight },
        `would erase ${recipients.length} rows and hash ${suppressions.length} suppressions\n`,
      );
      return 0;
    }
    const done = await erase(connections, address, {
      progress: createQuietProgress(),
      deadlineMs,
      verify: options.verify === true,
    });
    out.result({ dryRun, ...done }, describe(done));
    return 0;
  });
}

const BEYOND =
  'Not reached: backups, what the customer fetched, mail servers. The gateway spool holds no address (events name numbers).\n';

function describe({ stopped, rows, files, mentions }: ErasedAddress): string {
  const list = (title: string, paths: string[]) =>
    paths.length === 0 ? '' : `${title}:\n${paths.map((path) => `  ${path}\n`).join('')}`;
  return [
    facts([
      ['mails not sent', stopped],
      ['recipients', rows.recipients],
      ['suppressions hashed', rows.suppressions],
      ['events', rows.events],
      ['responses', rows.responses],
      ['returned mails', rows.returnedMails],
    ]),
    list('made anew', files.rewritten),
    list('removed, because data of others was recycled since', files.removed),
    list('LEFT ALONE: on its way in, or not written by Postloop', files.left),
    mentions === null
      ? ''
      : table(
          ['still in (author, customer or settings wrote it)', 'rows'],
          mentions.map(({ column, rows: count }) => [column, count]),
          'in no table any more',
        ),
    BEYOND,
  ].join('');
}
