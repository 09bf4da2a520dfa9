import { accessSync, constants, statSync } from 'node:fs';
import { join } from 'node:path';
import { searchPath } from './env.js';

/** The first of `names` that is an executable file in one of `directories` (default: PATH and the sbin folders). */
export function findProgram(names: string[], directories: string[] = searchPath()): string | undefined {
  for (const name of names) {
    for (const directory of directories) {
      const file = join(directory, name);
      if (isExecutable(file)) return file;
    }
  }
  return undefined;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
