import { posix } from 'node:path';
import { exportPath } from '@postloop/contracts';
import type { ExportRun, ResponseFileKind } from '@postloop/db';

/** Where one file of a run goes. It is written under `temporary`, a dotfile that nobody polls for. */
export interface ExportPaths {
  name: string;
  final: string;
  temporary: string;
}

export type NamedRun = Pick<ExportRun, 'clientDirectory' | 'day' | 'runOfDay'> & {
  settings: Pick<ExportRun['settings'], 'name' | 'extension' | 'gzip'>;
};

/**
 * The client's pattern, by default `YYYYMMDD_<kind>.csv`; from the second run of a day on with `_2` before the extension.
 * The manifest is JSON whatever the others are. The same for a run that is taken up again.
 */
export function exportPaths(
  { clientDirectory, day, runOfDay, settings }: NamedRun,
  kind: ResponseFileKind,
): ExportPaths {
  const stem = settings.name.replace(/\{(day|kind)\}/g, (_, part: string) => (part === 'day' ? day : kind));
  const extension = kind === 'manifest' ? '.json' : `${settings.extension}${settings.gzip ? '.gz' : ''}`;
  const name = `${stem}${runOfDay > 1 ? `_${runOfDay}` : ''}${extension}`;
  const directory = exportPath(clientDirectory);
  return { name, final: posix.join(directory, name), temporary: posix.join(directory, `.${name}.part`) };
}
