import { classifyEvent, describeUserAgent } from '@postloop/mail-domain';
import type { Database } from './database.js';
import type { RecordedEvent } from './event.js';
import { loadSql, type Sql, select } from './sql.js';

export interface ReclassifyOptions {
  /** Default: all clients. */
  clientId?: bigint | undefined;
  /** Only events that happened then or later. */
  since?: Date | undefined;
  /** Only count. */
  dryRun?: boolean;
  /** Events per transaction. */
  batchSize?: number;
  /** Told after each batch. */
  onBatch?: (soFar: Pick<Reclassified, 'seen' | 'changed'>) => void;
}

/** How many events said one thing and say another now. */
export interface Reclassification {
  field: 'verdict' | 'browser' | 'platform' | 'device';
  /** For a verdict with its rule: `human (browser)`. */
  from: string;
  to: string;
  events: number;
}

export interface Reclassified {
  seen: number;
  changed: number;
  /** The most frequent first. */
  changes: Reclassification[];
}

const BATCH = 5_000;

/**
 * Judges stored events by today's rules: verdict, rule, browser, platform and device from their user agent. Batch by batch in
 * the order of the key, each a transaction of its own: killed, it is simply run again, for what is right already is left
 * alone. An event keeps its ticket, so none is exported a second time; an export that is repeated says what it said before.
 */
export async function reclassifyEvents(db: Database, options: ReclassifyOptions = {}): Promise<Reclassified> {
  const { dryRun = false, batchSize = BATCH, onBatch } = options;
  const changes = new Map<string, Reclassification>();
  const soFar = { seen: 0, changed: 0 };
  for (let page = await selectPage(db.pool, options, batchSize); page.length > 0; ) {
    const changed = page.map((event) => ({ before: event, after: reclassify(event) })).filter(differs);
    if (!dryRun && changed.length > 0) await update(db.pool, changed);
    for (const { before, after } of changed) count(changes, before, after);
    soFar.seen += page.length;
    soFar.changed += changed.length;
    onBatch?.(soFar);
    page = page.length < batchSize ? [] : await selectPage(db.pool, options, batchSize, page.at(-1));
  }
  return { ...soFar, changes: [...changes.values()].sort((a, b) => b.events - a.events) };
}

type Judged = Pick<RecordedEvent, 'browser' | 'platform' | 'device' | 'verdict' | 'verdictRule'>;
type StoredEvent = Pick<RecordedEvent, 'mailingId' | 'id' | 'kind' | 'userAgent'> & Judged;
interface Changed {
  before: StoredEvent;
  after: Judged;
}

const PAGE = loadSql(import.meta.url, 'event-reclassify-page.sql');
const UPDATE = loadSql(import.meta.url, 'event-reclassify-update.sql');
const FIRST = { mailingId: 0n, id: '00000000-0000-0000-0000-000000000000' };

function selectPage(
  sql: Sql,
  { clientId, since }: ReclassifyOptions,
  limit: number,
  after: Pick<StoredEvent, 'mailingId' | 'id'> = FIRST,
): Promise<StoredEvent[]> {
  return select(sql, PAGE, [after.mailingId, after.id, clientId ?? null, since ?? null, limit]);
}

async function update(sql: Sql, changed: readonly Changed[]): Promise<void> {
  await sql.query(UPDATE, [
    changed.map(({ before }) => before.mailingId),
    changed.map(({ before }) => before.id),
    changed.map(({ after }) => after.browser),
    changed.map(({ after }) => after.platform),
    changed.map(({ after }) => after.device),
    changed.map(({ after }) => after.verdict),
    changed.map(({ after }) => after.verdictRule),
  ]);
}

function reclassify({ kind, userAgent, verdict, verdictRule }: StoredEvent): Judged {
  const description = describeUserAgent(userAgent);
  // Whoever carries an unsubscribe over says nothing about the person.
  if (kind === 'unsubscribe') return { ...description, verdict, verdictRule };
  // The method is not stored, but the one rule that goes by it is.
  const judged = classifyEvent({ kind, userAgent, method: verdictRule === 'head-request' ? 'HEAD' : 'GET' });
  return { ...description, verdict: judged.verdict, verdictRule: judged.rule };
}

const FIELDS = ['verdict', 'browser', 'platform', 'device'] as const;

const shown = (event: Judged, field: Reclassification['field']): string =>
  field === 'verdict' ? `${event.verdict} (${event.verdictRule})` : event[field];

const differs = ({ before, after }: Changed): boolean =>
  FIELDS.some((field) => shown(before, field) !== shown(after, field));

/** User agents are anybody's text: beyond this many kinds of change the rest is counted together. */
const MAX_KINDS = 1_000;
const OTHERS = '(others)';

function count(changes: Map<string, Reclassification>, before: Judged, after: Judged): void {
  for (const field of FIELDS) {
    const pair = { from: shown(before, field), to: shown(after, field) };
    if (pair.from === pair.to) continue;
    const known = changes.has(keyOf(field, pair)) || changes.size < MAX_KINDS;
    const { from, to } = known ? pair : { from: OTHERS, to: OTHERS };
    const change = changes.get(keyOf(field, { from, to })) ?? { field, from, to, events: 0 };
    change.events += 1;
    changes.set(keyOf(field, change), change);
  }
}

const keyOf = (field: string, { from, to }: { from: string; to: string }): string => JSON.stringify([field, from, to]);
