import { type AppName, type AppProcess, appNames } from '@postloop/local-stack';
import { until } from '../support/until.js';
import type { World } from '../support/world.js';

/** Keeps the apps of a world alive as an orchestrator does: whatever ends is started again, however often that takes. */
export interface Apps {
  /** SIGKILL; resolves when it is ready again. */
  kill(name: AppName): Promise<void>;
  app(name: AppName): AppProcess;
  /** Apps that ended although nobody killed them. */
  crashed: string[];
  /** From now on what ends stays away. */
  release(): void;
}

const START_AGAIN_MS = 300_000;

export function keepAlive({ house }: World, say: (text: string) => void): Apps {
  const asked = new Set<number>();
  const crashed: string[] = [];
  let released = false;
  const back = new Map<AppName, Promise<void>>();

  const watch = (name: AppName, app: AppProcess) => {
    back.set(
      name,
      app.exited.then(async ({ code, signal }) => {
        if (released) return;
        if (!asked.delete(app.pid)) {
          crashed.push(name);
          say(`${name} ended by itself (${signal ?? code}): see its log`);
        }
        const next = await until(
          `${name} is ready again`,
          () => house.start(name).catch(() => undefined),
          START_AGAIN_MS,
        );
        watch(name, next);
      }),
    );
  };
  for (const name of appNames) watch(name, house.app(name));
  return {
    crashed,
    app: (name) => house.app(name),
    async kill(name) {
      const app = house.app(name);
      const restarted = back.get(name);
      asked.add(app.pid);
      app.kill('SIGKILL');
      await restarted;
    },
    release() {
      released = true;
    },
  };
}
