import { type ClientSettings, clientSettings } from '@postloop/contracts';
import { selectMasterList } from './recipient-list.js';
import { type Sql, selectOne } from './sql.js';

/** All that decides what the files of a run look like, fixed when it is planned: a run that is repeated gives the same bytes. */
export type ExportSettings = ClientSettings['export'] & {
  timeZone: string;
  /** Where in a recipient's fields an extra column is found (from 1), by its name. Without a place the column is empty. */
  fieldOrdinals: Readonly<Record<string, number>>;
};

type Stored = { timeZone: string; fieldOrdinals?: Record<string, number> } & Record<string, unknown>;

/** What the client has chosen by now. */
export async function selectExportSettings(sql: Sql, clientId: bigint): Promise<ExportSettings> {
  const client = await selectOne<{ timeZone: string; settings: unknown }>(
    sql,
    'SELECT time_zone AS "timeZone", settings FROM client WHERE id = $1',
    [clientId],
  );
  const chosen = clientSettings.parse(client.settings).export;
  const list = await selectMasterList(sql, clientId);
  const fields = list?.fields.filter(({ name }) => chosen.extraColumns.includes(name)) ?? [];
  const fieldOrdinals = Object.fromEntries(fields.map(({ name, ordinal }) => [name, ordinal]));
  return { ...chosen, timeZone: client.timeZone, fieldOrdinals };
}

/** The settings that were stored with a run. What an older Postloop did not know had the value that is the default now. */
export function readExportSettings({ timeZone, fieldOrdinals = {}, ...chosen }: Stored): ExportSettings {
  return { ...clientSettings.shape.export.parse(chosen), timeZone, fieldOrdinals };
}
