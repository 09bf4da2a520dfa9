import { posix } from 'node:path';
import { exportPath } from '@postloop/contracts';
import type { ExportRun, ResponseFileKind } from '@postloop/db';

/** Where one file of a run goes. It is written under `temporary`, a dotfile that nobody polls for. */
export interface ExportPaths {
  name: string;
  final: string;
  temporary: string;
}

/** `YYYYMMDD_<kind>.csv`; from the second run of a day on `YYYYMMDD_<kind>_2.csv`. The same for a run that is taken up again. */
export function exportPaths(
  run: Pick<ExportRun, 'clientDirectory' | 'day' | 'runOfDay'>,
  kind: ResponseFileKind,
): ExportPaths {
  const name = `${run.day}_${kind}${run.runOfDay > 1 ? `_${run.runOfDay}` : ''}.csv`;
  const directory = exportPath(run.clientDirectory);
  return { name, final: posix.join(directory, name), temporary: posix.join(directory, `.${name}.part`) };
}
