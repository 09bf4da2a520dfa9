import { extraColumns } from '@postloop/contracts';
import type { ExportSettings } from './export-settings.js';

/** The seven response files (spec 8). */
export const responseFileKinds = [
  'mailings',
  'mailingrecipients',
  'links',
  'clicks',
  'opens',
  'unsubscribes',
  'responses',
] as const;
/** Files with rows: complaints have one of their own only for clients that want it. */
export const csvFileKinds = [...responseFileKinds, 'complaints'] as const;
export type CsvFileKind = (typeof csvFileKinds)[number];
/** All that a run may publish. The manifest lists the others. */
export type ResponseFileKind = CsvFileKind | 'manifest';

/** The CSV files of a run with these settings, in the order in which they are published. */
export const csvFilesOf = ({ complaints }: Pick<ExportSettings, 'complaints'>): readonly CsvFileKind[] =>
  complaints ? csvFileKinds : responseFileKinds;

type Columns = Readonly<Record<CsvFileKind, string>>;
type Profile = ExportSettings['profile'];

/** Spec 8, column by column. Each is a column of the same name in export-<kind>.sql. */
const PROFILES: Readonly<Record<Profile, Columns>> = {
  classic: {
    mailings: 'id, mailingGroupId, started, finished',
    mailingrecipients: 'mailingId, userId, created, response.category',
    links: 'mailingId, id, name, url',
    clicks: 'mailingId, userId, linkId, created',
    opens: 'mailingId, userId, created',
    unsubscribes: 'mailingId, userId, created',
    responses: 'mailingId, mailingToUserId, userId, category, created',
    complaints: 'mailingId, userId, created',
  },
  current: {
    mailings: 'id, compoundMasterId, mailingGroupId, mailing.recipientLists, started, finished',
    mailingrecipients:
      'id, mailingId, mailingGroupId, userId, created, sendingStatus, deliveryStatus, response.category',
    links: 'id, mailingId, mailingToUserId, mailingGroupId, name, url',
    clicks:
      'linkId, mailingId, mailingToUserId, mailingGroupId, userId, created, click.browser, click.platform, click.device',
    opens:
      'linkId, mailingId, mailingToUserId, mailingGroupId, userId, created, open.browser, open.platform, open.device',
    unsubscribes: 'mailingId, mailingToUserId, mailingGroupId, userId, created',
    responses: 'mailingId, mailingToUserId, mailingGroupId, userId, created, category',
    complaints: 'mailingId, mailingToUserId, mailingGroupId, userId, created',
  },
};

/** Which extra columns make sense in which file; `fields` are those of the recipient. */
const EXTRAS: Columns = {
  mailings: 'sourceMailingId',
  mailingrecipients: 'waveId, sourceMailingId, fields',
  links: 'sourceMailingId',
  clicks: 'waveId, sourceMailingId, verdict, eventId, fields',
  opens: 'waveId, sourceMailingId, verdict, eventId, fields',
  unsubscribes: 'waveId, sourceMailingId, verdict, eventId, fields',
  responses: 'waveId, sourceMailingId, eventId, fields',
  complaints: 'waveId, sourceMailingId, eventId, fields',
};

export interface ExportColumn {
  /** As in the header row. */
  name: string;
  /** A field of the recipient: found by its name in the list that the file was read by; empty where that has none. */
  field?: true;
}

/** The columns of a file: those of the profile, then the extra ones in the order in which the client names them. */
export function exportColumns(kind: CsvFileKind, settings: ExportSettings): ExportColumn[] {
  const { profile, extraColumns: extras } = settings;
  const offered = split(EXTRAS[kind]);
  const columns: ExportColumn[] = split(PROFILES[profile][kind]).map((name) => ({ name }));
  for (const name of extras) {
    if (isReserved(name)) {
      if (offered.includes(name)) columns.push({ name });
    } else if (offered.includes('fields')) columns.push({ name, field: true });
  }
  return columns;
}

const split = (names: string): string[] => names.split(', ');
export const isReserved = (name: string): boolean => extraColumns.some((reserved) => reserved === name);
