import { type ClientSettings, describeFault, readInboxOrder } from '@postloop/contracts';
import type { ImportFacts, JournalEntry, MailingFacts } from '@postloop/db';
import { countOf, deliveryCounts, describeEntry } from './describe-entry.js';
import { printable } from './printable.js';

/** When a client is mailed (spec 6); what has no event stands in the log files alone. */
export function eventOf(entry: JournalEntry): ClientSettings['notices']['on'][number] | undefined {
  switch (entry.kind) {
    case 'import_imported':
    case 'import_empty':
    case 'import_stored':
    case 'import_ignored':
      return 'imported';
    case 'import_failed':
    case 'start_failed':
      return 'error';
    case 'mailing_started':
    case 'mailing_finished':
    case 'mailing_cancelled':
      // Who has nobody to send to was told so when the file was imported.
      if (entry.facts.recipients === 0) return undefined;
      return entry.kind === 'mailing_started' ? 'started' : 'finished';
    default:
      return undefined;
  }
}

export interface NoticeText {
  subject: string;
  text: string;
}

interface Told {
  entry: JournalEntry;
  clientName: string;
  timeZone: string;
  onError: ClientSettings['onError'];
}

/** A status mail in plain text. Every line of it is made printable: most of them hold what others wrote. */
export function noticeText({ entry, clientName, timeZone, onError }: Told): NoticeText {
  const lines = [
    describeEntry(entry),
    '',
    `Client:   ${clientName}`,
    `Time:     ${entry.localTime} (${timeZone})`,
    ...('fileName' in entry.facts
      ? [`File:     ${entry.facts.directory}/${entry.facts.fileName}`, `Import:   ${entry.importId}`]
      : []),
    ...details(entry, onError),
  ];
  return {
    subject: printable(`Postloop, ${clientName}: ${headline(entry)}`, 200),
    text: `${lines.map((line) => printable(line)).join('\n')}\n`,
  };
}

function headline(entry: JournalEntry): string {
  switch (entry.kind) {
    case 'import_imported':
      return `${entry.facts.fileName} imported, ${entry.facts.queued} of ${countOf(entry.facts.rows, 'row')} queued`;
    case 'import_empty':
      return `${entry.facts.fileName} has nobody to send to`;
    case 'import_stored':
      return `${entry.facts.fileName} stored, ${countOf(entry.facts.rows, 'row')}`;
    case 'import_ignored':
      return `${entry.facts.fileName} ignored`;
    case 'import_failed':
      return `ERROR, ${entry.facts.fileName} failed`;
    case 'start_failed':
      return `ERROR, the mailings of ${entry.facts.fileName} did not start`;
    case 'mailing_started':
      return `mailing ${entry.mailingId} started, ${countOf(entry.facts.recipients, 'recipient')}`;
    case 'mailing_finished':
      return `mailing ${entry.mailingId} finished, ${entry.facts.deliveries?.sent ?? 0} of ${entry.facts.recipients} sent`;
    case 'mailing_cancelled':
      return `mailing ${entry.mailingId} cancelled`;
    default:
      return describeEntry(entry);
  }
}

function details(entry: JournalEntry, onError: ClientSettings['onError']): string[] {
  switch (entry.kind) {
    case 'import_imported':
    case 'import_empty':
      return [...rowLines(entry.facts), ...mailingLines(entry.facts), ...moreIn(entry.facts)];
    case 'import_failed':
    case 'start_failed':
      return [
        ...faultLines(entry.facts),
        ...(onError.errorFile ? [`  All of them: logs/${entry.facts.fileName}.error.csv`] : []),
        ...whatToDo(entry.kind, entry.importId, entry.facts, onError.halt),
      ];
    case 'mailing_started':
    case 'mailing_finished':
    case 'mailing_cancelled':
      return [...statusLines(entry.facts), ...moreIn(entry.facts)];
    default:
      return [];
  }
}

function rowLines({ rows, queued, suppressed, invalid, duplicate, blankLines }: ImportFacts): string[] {
  const counts = { queued, suppressed, invalid, duplicate };
  return [
    '',
    `Rows:     ${rows}`,
    ...Object.entries(counts).map(([status, count]) => `  ${status.padEnd(10)} ${count}`),
    ...(blankLines > 0 ? [`Blank lines skipped: ${blankLines}`] : []),
  ];
}

function mailingLines({ mailings }: ImportFacts): string[] {
  return ['', 'Mailings:', ...mailings.map(({ id, name }) => `  ${id}  ${name}`)];
}

function statusLines(facts: MailingFacts): string[] {
  const source = [
    '',
    `Source mailing: ${facts.sourceMailingId}  ${facts.name}`,
    ...(facts.resendOf === null ? [] : [`Resend of: ${facts.resendOf}`]),
    `Recipients: ${facts.recipients}`,
  ];
  return facts.deliveries
    ? [
        ...source,
        ...deliveryCounts(facts)
          .split(', ')
          .map((count) => `  ${count}`),
      ]
    : source;
}

const moreIn = ({ fileName }: Pick<ImportFacts, 'fileName'>): string[] => ['', `More: logs/${fileName}.log`];

const TOLD = 10;

function faultLines({ faults, faultCount }: ImportFacts): string[] {
  const head = faultCount > TOLD ? `Faults, the first ${TOLD} of ${faultCount}:` : 'Faults:';
  return ['', head, ...faults.slice(0, TOLD).map((fault) => `  ${describeFault(fault)}`)];
}

/** Spec 5, "Restart". */
function whatToDo(
  kind: 'import_failed' | 'start_failed',
  importId: bigint | null,
  { directory, fileName }: ImportFacts,
  halts: boolean,
): string[] {
  const order = readInboxOrder(fileName);
  if (order)
    return [
      '',
      'What to do:',
      `  Nothing was changed: ${order.fileName} is as it was before. Send the order again, put right.`,
    ];
  return [
    '',
    'What to do:',
    kind === 'import_failed'
      ? `  Nothing of the file was stored and nobody was mailed. It waits in ${directory}/failed/.`
      : '  The rows are stored; nobody was mailed. The copies are made anew when it is restarted.',
    ...(halts ? [`  No further file is taken from ${directory}/ until then.`] : []),
    '  Put the cause right, then restart it in one of these ways:',
    `  - upload an empty file ${fileName}.restart to ${directory}/,`,
    ...(kind === 'import_failed' && directory !== 'products'
      ? ['  - or with corrected rows in it, each as line number;values: they take the place of the rejected ones,']
      : []),
    `  - or run: postloop import restart ${importId}.`,
    `  To give it up, upload an empty file ${fileName}.skip to ${directory}/.`,
  ];
}
