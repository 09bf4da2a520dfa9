import { describeFault } from '@postloop/contracts';
import type { ExportFacts, ImportFacts, InboxFacts, JournalEntry, MailingFacts } from '@postloop/db';

export const countOf = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

/** What happened, in one line; what was written by others is in it as it is. */
export function describeEntry(entry: JournalEntry): string {
  switch (entry.kind) {
    case 'export_done':
      return `export ${entry.exportId}: ${describeExport(entry.facts)}`;
    case 'inbox_halted':
    case 'inbox_restarted':
      return describeInbox(entry.kind, entry.facts);
    case 'mailing_scheduled':
    case 'mailing_started':
    case 'mailing_paused':
    case 'mailing_resumed':
    case 'mailing_cancelled':
    case 'mailing_finished':
      return `mailing ${entry.mailingId} "${entry.facts.name}" of ${fileOf(entry.facts)}: ${describeMailing(entry.kind, entry.facts)}`;
    default:
      return `import ${entry.importId} of ${fileOf(entry.facts)}: ${describeImport(entry.kind, entry.facts)}`;
  }
}

const fileOf = ({ directory, fileName }: Pick<ImportFacts, 'directory' | 'fileName'>) => `${directory}/${fileName}`;

function describeImport(kind: JournalEntry['kind'], facts: ImportFacts): string {
  switch (kind) {
    case 'import_imported':
      return `imported; ${rowCounts(facts)}`;
    case 'import_empty':
      return `empty, there is nobody to send to; ${rowCounts(facts)}`;
    case 'import_stored':
      return `stored; ${countOf(facts.rows, 'row')}`;
    case 'import_ignored':
      return `ignored; ${firstFault(facts)}`;
    case 'import_restarted':
      return 'restarted';
    case 'restart_ordered':
      return 'taken as an order to restart';
    case 'skip_ordered':
      return 'taken as an order to give the failed file up';
    case 'start_failed':
      return `the start failed, the rows are stored, nothing was sent; ${firstFault(facts)}`;
    default:
      return `failed, nothing was stored; ${firstFault(facts)}`;
  }
}

/** `100 rows: 90 queued, 3 suppressed, 5 invalid, 2 duplicate`. */
function rowCounts({ rows, blankLines, queued, suppressed, invalid, duplicate }: ImportFacts): string {
  const counts = `${countOf(rows, 'row')}: ${queued} queued, ${suppressed} suppressed, ${invalid} invalid, ${duplicate} duplicate`;
  return blankLines > 0 ? `${counts}; ${countOf(blankLines, 'blank line')} skipped` : counts;
}

function firstFault({ faults, faultCount }: ImportFacts): string {
  const [first] = faults;
  if (!first) return 'no reason was given';
  return describeFault(first) + (faultCount > 1 ? ` (and ${faultCount - 1} more)` : '');
}

function describeMailing(kind: JournalEntry['kind'], facts: MailingFacts): string {
  switch (kind) {
    case 'mailing_scheduled':
      return `waits for ${facts.sendAt ?? 'its time'}`;
    case 'mailing_started':
      return `started${facts.resendOf === null ? '' : `, a resend of mailing ${facts.resendOf}`}; ${countOf(facts.recipients, 'recipient')}`;
    case 'mailing_paused':
      return 'paused';
    case 'mailing_resumed':
      return 'resumed';
    case 'mailing_cancelled':
      return `cancelled; ${deliveryCounts(facts)}`;
    default:
      return `finished; ${deliveryCounts(facts)}`;
  }
}

/** What became of the recipients: `88 sent, 2 could_not_be_sent`. Those that nothing was tried for are cancelled. */
export function deliveryCounts({ recipients, deliveries = {} }: MailingFacts): string {
  const tried = Object.values(deliveries).reduce((sum, count) => sum + count, 0);
  const counts = { ...deliveries, cancelled: Math.max(0, recipients - tried) };
  const told = Object.entries(counts).filter(([, count]) => count > 0);
  return told.length === 0 ? 'nobody to send to' : told.map(([status, count]) => `${count} ${status}`).join(', ');
}

function describeExport({ files }: ExportFacts): string {
  return `response files ${files.map(({ name, rows }) => `${name} (${countOf(rows, 'row')})`).join(', ')}`;
}

function describeInbox(kind: 'inbox_halted' | 'inbox_restarted', { directory, fileName }: InboxFacts): string {
  if (kind === 'inbox_restarted') return `${directory}/: files are taken again`;
  return `${directory}/: no file is taken until ${fileName} is restarted or given up`;
}
