import { type RecipientTrace, selectRecipientTrace, type TracedRecipient } from '@postloop/db';
import type { Command } from 'commander';
import { withConnections } from '../connections.js';
import { type Cell, facts, formatTime, printable, table } from '../support/format.js';
import { type Context, group, leaf, run } from '../support/leaf.js';

export function addRecipientCommands(program: Command): void {
  const recipient = group(program, 'recipient', 'what is known of a recipient');
  leaf(recipient, 'trace <address>', 'every row, mail, event, response and export of one address', {
    connects: true,
  }).action(run(trace));
}

async function trace({ out, settings }: Context<object>, address: string) {
  return withConnections(settings(), ['db'], async ({ db }) => {
    const found = await selectRecipientTrace(db.pool, address);
    out.result({ address, ...found }, describeTrace(address, found));
    return 0;
  });
}

/** A trace for a person. */
export function describeTrace(address: string, { recipients, suppressions }: RecipientTrace): string {
  const rows = `${recipients.length} row${recipients.length === 1 ? '' : 's'}`;
  const parts = [
    `${printable(address)}: ${rows}\n`,
    ...recipients.map(describeRecipient),
    ...suppressions.map(
      ({ clientName, entry, reason, createdAt, mailingId }) =>
        `suppressed for ${printable(clientName)}: ${printable(entry)} ${reason} since ${formatTime(createdAt)}${mailingId === null ? '' : `, by mailing ${mailingId}`}\n`,
    ),
  ];
  return parts.join('\n');
}

function describeRecipient(row: TracedRecipient): string {
  const answer = [row.smtpCode, row.reason].filter((part) => part !== null).join(' ');
  const happened: [Date | null, string, Cell][] = [
    [row.sentAt, 'mail', `${row.status}${answer ? `: ${answer}` : ''} (attempt ${row.attempts})`],
    ...row.events.map((event): [Date, string, string] => [
      event.occurredAt,
      event.kind,
      [event.linkName, event.browser, event.platform, event.device, event.verdict].filter(Boolean).join(', '),
    ]),
    ...row.responses.map(({ occurredAt, category, statusCode, diagnostic }): [Date, string, string] => [
      occurredAt,
      'response',
      [category, statusCode, diagnostic].filter(Boolean).join(', '),
    ]),
  ];
  const exports = row.exports.map(({ fileName, day, runOfDay, kind, rows, status }): Cell[] => [
    fileName ?? `${day} run ${runOfDay}, ${kind} (${status})`,
    rows,
  ]);
  return [
    facts([
      ['mailing', `${row.mailingId} ${row.mailingName} (${row.mailingStatus}${row.test ? ', test' : ''})`],
      ['client', row.clientName],
      ['file', `${row.fileName}, line ${row.line} (import ${row.importId})`],
      ['recipient', row.id],
      ['wave', row.waveId],
      ['status', row.status],
      ...(row.sentAt === null && row.reason !== null ? [['reason', row.reason] as const] : []),
    ]),
    table(
      ['when', 'what', 'how'],
      happened.filter(([when]) => when !== null),
      'no mail yet',
    ),
    table(['response file', 'rows'], exports, 'in no export yet'),
  ].join('');
}
