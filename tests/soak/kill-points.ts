import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type AppName, appNames } from '@postloop/local-stack';

export interface KillPoint {
  app: AppName;
  name: string;
}

const APPS = fileURLToPath(new URL('../../apps', import.meta.url));

/** Every named kill point, read from the source of the apps. */
export function findKillPoints(): KillPoint[] {
  return appNames.flatMap((app) => {
    const source = join(APPS, app, 'src');
    const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((name) =>
      /(?<!\.test)\.ts$/.test(name),
    );
    const names = files.flatMap((name) => namesIn(readFileSync(join(source, name), 'utf8')));
    return [...new Set(names)].sort().map((name) => ({ app, name }));
  });
}

const namesIn = (text: string): string[] =>
  [...text.matchAll(/\bkillPoint\('([^']+)'\)/g)].map(([, name = '']) => name);
