import { type ClientSettings, clientSettings } from '@postloop/contracts';
import { type Sql, selectOne } from './sql.js';

/** All that decides what the files of a run look like, fixed when it is planned: a run that is repeated gives the same bytes. */
export type ExportSettings = ClientSettings['export'] & {
  timeZone: string;
};

type Stored = { timeZone: string } & Record<string, unknown>;

/** What the client has chosen by now. */
export async function selectExportSettings(sql: Sql, clientId: bigint): Promise<ExportSettings> {
  const client = await selectOne<{ timeZone: string; settings: unknown }>(
    sql,
    'SELECT time_zone AS "timeZone", settings FROM client WHERE id = $1',
    [clientId],
  );
  return { ...clientSettings.parse(client.settings).export, timeZone: client.timeZone };
}

/** The settings that were stored with a run. What an older Postloop did not know had the value that is the default now. */
export function readExportSettings({ timeZone, ...chosen }: Stored): ExportSettings {
  return { ...clientSettings.shape.export.parse(chosen), timeZone };
}
