import { closeUnknown, resendUnknown, selectUnknownRecipients, type UnknownOutcome } from '@postloop/db';
import type { Command } from 'commander';
import { withConnections } from '../connections.js';
import { requireClient } from '../customer-files/apply.js';
import { table } from '../support/format.js';
import { type Context, group, leaf, run } from '../support/leaf.js';
import { type ListOptions as Listed, listLimit } from '../support/list-options.js';
import { Problem, parseId } from '../support/problem.js';

interface ListOptions extends Listed {
  mailing?: string;
}

interface CloseOptions {
  note: string;
}

export function addUnknownCommands(program: Command): void {
  const unknown = group(program, 'unknown', 'mails that were handed over without a recorded answer: sent or not');
  leaf(unknown, 'list', 'the newest that nobody closed', { connects: true })
    .option('--client <client>', 'only those of this client (name, directory or ID)')
    .option('--mailing <ID>', 'only those of this mailing')
    .option('--limit <number>', 'how many', '100')
    .action(run<ListOptions>(list));
  leaf(unknown, 'resend <mailing> [recipients...]', 'send again, to all or these; some may get the mail twice', {
    connects: true,
    writes: true,
  }).action(run<object, [string, string[]]>(resend));
  leaf(unknown, 'close <mailing> [recipients...]', 'leave all or these as they are, for good', {
    connects: true,
    writes: true,
  })
    .requiredOption('--note <text>', 'why; kept with them')
    .action(run<CloseOptions, [string, string[]]>(close));
}

async function list({ out, options, settings }: Context<ListOptions>) {
  const mailingId = options.mailing === undefined ? null : parseId(options.mailing, 'a mailing');
  return withConnections(settings(), ['db'], async ({ db }) => {
    const client = options.client === undefined ? null : await requireClient(db, options.client);
    const rows = await selectUnknownRecipients(
      db.pool,
      { clientId: client?.id ?? null, mailingId },
      listLimit(options),
    );
    out.result(
      rows,
      table(
        ['mailing', 'client', 'source mailing', 'recipient', 'address', 'sent', 'why'],
        rows.map((one) => [
          one.mailingId,
          one.clientName,
          one.mailingName,
          one.recipientId,
          one.email,
          one.sentAt,
          one.reason,
        ]),
        'no recipient is unknown',
      ),
    );
    return 0;
  });
}

async function resend({ out, dryRun, settings }: Context<object>, mailing: string, recipients: string[]) {
  const choice = choiceOf(mailing, recipients, dryRun);
  return withConnections(settings(), ['db', 'producer'], async ({ db, producer }) => {
    const done = requireDone(choice.mailingId, await resendUnknown(db, choice));
    await producer.enqueueAll(
      'mailSend',
      done.batches.map((batch) => ({ v: 1, ...batch })),
    );
    out.result(
      { dryRun, mailingId: choice.mailingId, recipients: done.recipients },
      `${dryRun ? 'would send' : 'sends'} mailing ${choice.mailingId} to ${done.recipients} recipients again\n`,
    );
    return 0;
  });
}

async function close({ out, options, dryRun, settings }: Context<CloseOptions>, mailing: string, recipients: string[]) {
  const choice = choiceOf(mailing, recipients, dryRun);
  return withConnections(settings(), ['db'], async ({ db }) => {
    const done = requireDone(choice.mailingId, await closeUnknown(db, choice, options.note));
    out.result(
      { dryRun, mailingId: choice.mailingId, recipients: done.recipients },
      `${dryRun ? 'would close' : 'closed'} ${done.recipients} recipients of mailing ${choice.mailingId}\n`,
    );
    return 0;
  });
}

function choiceOf(mailing: string, recipients: string[], dryRun: boolean) {
  return {
    mailingId: parseId(mailing, 'a mailing'),
    recipients: recipients.length === 0 ? null : recipients.map((id) => parseId(id, 'a recipient')),
    dryRun,
  };
}

function requireDone(mailingId: bigint, outcome: UnknownOutcome) {
  switch (outcome.result) {
    case 'done':
      return outcome;
    case 'unknown_mailing':
      throw new Problem(`there is no mailing ${mailingId}`, 'See `postloop unknown list`.');
    case 'refused':
      throw new Problem(
        `mailing ${mailingId} is ${outcome.why}`,
        outcome.why === 'recycled'
          ? 'The data of its recipients is gone: close them.'
          : 'Only a mailing that is sending, paused or finished can be sent again.',
      );
  }
}
