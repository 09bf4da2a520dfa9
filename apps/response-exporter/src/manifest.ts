import type { ExportedFile, ExportRun } from '@postloop/db';

/** Of the manifest itself and of what the files' columns mean. */
const SCHEMA_VERSION = 1;

/** What a run holds, as JSON for programs: published last, so the files that it lists are all there. Says nothing of when it was made: a repeated run gives the same bytes. */
export function manifestOf(run: ExportRun, files: readonly ExportedFile[]): Buffer {
  const { id, clientId, fromTicket, toTicket, day, runOfDay, settings } = run;
  const manifest = {
    schemaVersion: SCHEMA_VERSION,
    exportId: id.toString(),
    clientId: clientId.toString(),
    day,
    runOfDay,
    profile: settings.profile,
    // Everything with from < ticket <= to; the next run goes on from there.
    watermark: { from: fromTicket.toString(), to: toTicket.toString() },
    files,
  };
  return Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`);
}
