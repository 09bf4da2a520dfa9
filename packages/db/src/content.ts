import { createHash } from 'node:crypto';
import type { ReferencedContent } from '@postloop/mail-domain';
import { execute, loadSql, type Sql, select } from './sql.js';

const sha256 = (bytes: Buffer | string): Buffer => createHash('sha256').update(bytes).digest();

/** Stores bytes under their hash, once. What nobody referred to for a while counts as new, so that it is not swept away. */
async function storeBlob(sql: Sql, bytes: Buffer): Promise<Buffer> {
  const hash = sha256(bytes);
  await sql.query(
    `INSERT INTO blob AS b (sha256, bytes) VALUES ($1, $2)
     ON CONFLICT (sha256) DO UPDATE SET created_at = now() WHERE b.created_at < now() - interval '1 hour'`,
    [hash, bytes],
  );
  return hash;
}

const CLAIM = loadSql(import.meta.url, 'content-claim.sql');

/**
 * Makes URLs of a mailing the caller's to fetch: those that nobody has fetched, or whose fetcher fell silent for `leaseMs`.
 * @returns what is not there yet: `mine` to be fetched now, the others by somebody else
 */
export async function claimContent(
  sql: Sql,
  mailingId: bigint,
  urls: readonly string[],
  leaseMs: number,
): Promise<{ mine: string[]; others: string[] }> {
  const byHash = new Map(urls.map((url) => [sha256(url).toString('hex'), url]));
  const rows = await select<{ hash: Buffer; mine: boolean }>(sql, CLAIM, [mailingId, urls.map(sha256), leaseMs]);
  const open = rows.map(({ hash, mine }) => ({ url: byHash.get(hash.toString('hex')) ?? '', mine }));
  return {
    mine: open.filter(({ mine }) => mine).map(({ url }) => url),
    others: open.filter(({ mine }) => !mine).map(({ url }) => url),
  };
}

/** What a URL led to, or why it led to nothing. */
export type FetchOutcome = ReferencedContent | { fault: string; message: string };

/** Keeps what a URL led to: the first answer stays, so that every mail of the mailing shows the same. */
export async function keepContent(sql: Sql, mailingId: bigint, url: string, outcome: FetchOutcome): Promise<void> {
  const values =
    'fault' in outcome
      ? [null, null, null, outcome.fault, outcome.message]
      : [await storeBlob(sql, outcome.bytes), outcome.mediaType, outcome.charset, null, null];
  await sql.query(
    `INSERT INTO fetched_content AS f (mailing_id, url_sha256, sha256, media_type, charset, fault, message)
     VALUES ($1, $2, $3, $4, $5, $6, $7)
     ON CONFLICT (mailing_id, url_sha256) DO UPDATE
       SET sha256 = excluded.sha256, media_type = excluded.media_type, charset = excluded.charset,
           fault = excluded.fault, message = excluded.message, fetched_at = now()
       WHERE f.fault = 'fetching'`,
    [mailingId, sha256(url), ...values],
  );
}

/** Forgets what was fetched for a mailing. */
export async function forgetContent(sql: Sql, mailingId: bigint): Promise<void> {
  await sql.query('DELETE FROM fetched_content WHERE mailing_id = $1', [mailingId]);
}

/** Content that is at hand, by its hash and type: the same object for the same content. */
export interface ContentCache {
  get(key: string): ReferencedContent | undefined;
  set(key: string, content: ReferencedContent): unknown;
}

/**
 * What was fetched for a mailing, by URL; one that could not be fetched is not in it. Two statements, however many URLs: what
 * `cache` has is not read again.
 */
export async function selectFetchedContent(
  sql: Sql,
  mailingId: bigint,
  urls: readonly string[],
  cache: ContentCache = new Map(),
): Promise<Map<string, ReferencedContent>> {
  const found = await select<{ urlHash: Buffer; hash: Buffer; mediaType: string; charset: string | null }>(
    sql,
    `SELECT url_sha256 AS "urlHash", sha256 AS hash, media_type AS "mediaType", charset FROM fetched_content
      WHERE mailing_id = $1 AND url_sha256 = ANY($2) AND sha256 IS NOT NULL`,
    [mailingId, urls.map(sha256)],
  );
  const keyed = found.map((one) => ({ ...one, key: `${one.hash.toString('hex')} ${one.mediaType} ${one.charset}` }));
  const known = new Map(keyed.map(({ key }) => [key, cache.get(key)]));
  const blobs = await selectBlobs(
    sql,
    keyed.filter(({ key }) => !known.get(key)).map(({ hash }) => hash),
  );
  for (const { key, hash, mediaType, charset } of keyed) {
    const bytes = blobs.get(hash.toString('hex'));
    if (known.get(key) || !bytes) continue;
    const content = { bytes, mediaType, charset };
    cache.set(key, content);
    known.set(key, content);
  }
  const byUrl = new Map(keyed.map(({ urlHash, key }) => [urlHash.toString('hex'), known.get(key)]));
  return new Map(
    urls.flatMap((url) => {
      const content = byUrl.get(sha256(url).toString('hex'));
      return content ? [[url, content] as const] : [];
    }),
  );
}

async function selectBlobs(sql: Sql, hashes: readonly Buffer[]): Promise<Map<string, Buffer>> {
  if (hashes.length === 0) return new Map();
  const rows = await select<{ hash: Buffer; bytes: Buffer }>(
    sql,
    'SELECT sha256 AS hash, bytes FROM blob WHERE sha256 = ANY($1)',
    [hashes],
  );
  return new Map(rows.map(({ hash, bytes }) => [hash.toString('hex'), bytes]));
}

/** A URL of a mailing's recipients, and where it stands first. */
export interface ContentUrl {
  url: string;
  /** Physical line in the recipient file. */
  line: bigint;
  /** Column of the file, from 1. */
  column: number;
}

const URLS = loadSql(import.meta.url, 'content-urls.sql');

/**
 * URLs that the recipients of a mailing have in these fields (indexes from 0), in the order of the file.
 * `urls`: the first ones; `hosts`: one for each host, so that all of them are seen.
 */
export async function selectContentUrls(
  sql: Sql,
  mailingId: bigint,
  fields: readonly number[],
  limits: { urls: number; hosts: number },
): Promise<{ urls: ContentUrl[]; hosts: ContentUrl[] }> {
  const rows = await select<ContentUrl & { place: bigint; placeInHost: bigint }>(sql, URLS, [
    mailingId,
    fields.map((field) => field + 1),
    limits.urls,
    limits.hosts,
  ]);
  return {
    urls: rows.filter(({ place }) => place <= limits.urls),
    hosts: rows.filter(({ placeInHost }) => placeInHost === 1n),
  };
}

/** A file of the author's that every mail carries. */
export interface Attachment {
  name: string;
  mediaType: string;
  bytes: Buffer;
}

/** Replaces what is attached to a source mailing. */
export async function replaceSourceAttachments(
  sql: Sql,
  sourceMailingId: bigint,
  attachments: readonly Attachment[],
): Promise<void> {
  await sql.query('DELETE FROM source_attachment WHERE source_mailing_id = $1', [sourceMailingId]);
  for (const [index, { name, mediaType, bytes }] of attachments.entries())
    await sql.query(
      'INSERT INTO source_attachment (source_mailing_id, ordinal, name, media_type, sha256) VALUES ($1, $2, $3, $4, $5)',
      [sourceMailingId, index + 1, name, mediaType, await storeBlob(sql, bytes)],
    );
}

/** The copy keeps what is attached now. */
export async function freezeAttachments(sql: Sql, mailingId: bigint, sourceMailingId: bigint): Promise<void> {
  await sql.query(
    `INSERT INTO mailing_attachment (mailing_id, ordinal, name, media_type, sha256)
     SELECT $1, ordinal, name, media_type, sha256 FROM source_attachment WHERE source_mailing_id = $2`,
    [mailingId, sourceMailingId],
  );
}

export function selectMailingAttachments(sql: Sql, mailingId: bigint): Promise<Attachment[]> {
  return select(
    sql,
    `SELECT a.name, a.media_type AS "mediaType", b.bytes FROM mailing_attachment a JOIN blob b ON b.sha256 = a.sha256
      WHERE a.mailing_id = $1 ORDER BY a.ordinal`,
    [mailingId],
  );
}

/** A recycled mailing is shown to nobody any more: what its mails were made of goes. */
export async function releaseMailingContent(sql: Sql, mailingId: bigint): Promise<void> {
  await forgetContent(sql, mailingId);
  await sql.query('DELETE FROM mailing_attachment WHERE mailing_id = $1', [mailingId]);
  await sql.query('UPDATE mailing SET product_version_id = NULL, recommendation_version_id = NULL WHERE id = $1', [
    mailingId,
  ]);
}

const OF_PERSON = loadSql(import.meta.url, 'content-of-person.sql');

/** Forgets what was fetched for these recipients alone. Asked before their fields are gone. */
export async function erasePersonalContent(
  sql: Sql,
  recipients: readonly { mailingId: bigint; id: bigint }[],
): Promise<void> {
  const gone = await select<{ sha256: Buffer | null }>(sql, OF_PERSON, [
    recipients.map(({ mailingId }) => mailingId),
    recipients.map(({ id }) => id),
  ]);
  await sql.query(`DELETE FROM blob b WHERE sha256 = ANY($1) AND ${UNUSED}`, [gone.map((one) => one.sha256)]);
}

const UNUSED = ['source_attachment', 'mailing_attachment', 'fetched_content']
  .map((table) => `NOT EXISTS (SELECT FROM ${table} u WHERE u.sha256 = b.sha256)`)
  .join(' AND ');

const BLOBS_AT_ONCE = 1_000;

/** Removes bytes that nothing has referred to for a day, some at a time. @returns how many */
export async function deleteUnusedBlobs(sql: Sql): Promise<number> {
  const old = `b.created_at < now() - interval '1 day'`;
  return execute(
    sql,
    `DELETE FROM blob b USING (SELECT sha256 FROM blob b WHERE ${old} AND ${UNUSED} LIMIT ${BLOBS_AT_ONCE}) unused
      WHERE b.sha256 = unused.sha256 AND ${old}`,
  );
}
