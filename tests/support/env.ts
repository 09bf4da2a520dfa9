import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';

/** The only place of the tests that reads the environment. */

/**
 * For builds in a scratch folder with a home of its own: the settings and caches of npm that this machine has, and the
 * pnpm store that the repository in `root` was installed from.
 */
export function npmEnvironment(root: string): Record<string, string> {
  const { storeDir } = parse(readFileSync(join(root, 'node_modules', '.modules.yaml'), 'utf8')) as { storeDir: string };
  const kept = Object.entries(process.env).filter(([name]) =>
    /^(https?_proxy|no_proxy|npm_config_|ssl_cert)/i.test(name),
  );
  return {
    ...(Object.fromEntries(kept) as Record<string, string>),
    npm_config_userconfig: join(homedir(), '.npmrc'),
    npm_config_cache: join(homedir(), '.npm'),
    // Its last part is the store's version, which pnpm adds itself.
    pnpm_config_store_dir: dirname(storeDir),
  };
}

export const searchPath = (): string => process.env.PATH ?? '/usr/local/bin:/usr/bin:/bin';

/** How often tests/exporters-killed.test.ts kills two exporters: EXPORTER_ROUNDS, or few enough for every day. */
export const exporterRounds = (): number => Number(process.env.EXPORTER_ROUNDS ?? 25);

/** What `npm run soak` was asked for (scripts/run.mjs): how long, and the seed of everything that looks random. */
export const soakOptions = () => ({
  minutes: Number(process.env.SOAK_MINUTES ?? 10),
  seed: Number(process.env.SOAK_SEED ?? 1),
  /** Only these kill points of the sweep: a part of their names. */
  only: process.env.SOAK_ONLY ?? '',
});
