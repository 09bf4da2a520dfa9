import { resendToSoftBounces } from '@postloop/db';
import { type Command, Option } from 'commander';
import { withConnections } from '../connections.js';
import { type Context, leaf, run } from '../support/leaf.js';
import { Problem, parseId } from '../support/problem.js';

/** @param mailing the group of commands that it belongs to */
export function addResendCommand(mailing: Command): void {
  leaf(
    mailing,
    'resend <ID>',
    'mail those again that a finished mailing did not reach: a new mailing of its campaign',
    {
      connects: true,
      writes: true,
    },
  )
    .addOption(
      new Option('--to <whom>', 'whose latest response is a soft bounce')
        .choices(['soft-bounces'])
        .makeOptionMandatory(),
    )
    .action(run<object, [string]>(resend));
}

async function resend({ out, dryRun, settings }: Context<object>, text: string) {
  const id = parseId(text, 'a mailing');
  return withConnections(settings(), ['db', 'producer'], async ({ db, producer }) => {
    const made = await resendToSoftBounces(db, id, { dryRun });
    switch (made.result) {
      case 'unknown_mailing':
        throw new Problem(`there is no mailing ${id}`, 'See `postloop mailing list`.');
      case 'refused':
        throw new Problem(`mailing ${id} is ${made.status}`, 'Only a finished mailing can be resent.');
      case 'nobody':
        out.result({ dryRun, id: null, resendOf: id, recipients: 0 }, `mailing ${id} has nobody left to resend to\n`);
        return 0;
      case 'possible': {
        const { recipients } = made;
        out.result({ dryRun, id: null, resendOf: id, recipients }, `would mail ${recipients} recipients again\n`);
        return 0;
      }
      case 'started': {
        const { mailingId, recipients, batches } = made;
        await producer.enqueueAll(
          'mailSend',
          batches.map((batch) => ({ v: 1, ...batch })),
        );
        out.result(
          { dryRun, id: mailingId, resendOf: id, recipients },
          `mailing ${mailingId} mails ${recipients} recipients of mailing ${id} again\n`,
        );
        return 0;
      }
    }
  });
}
