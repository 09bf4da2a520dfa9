import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A disk that is small enough to be filled. */
export interface SmallDisk extends AsyncDisposable {
  /** Takes all that is left of it. */
  fill(): Promise<void>;
  /** Gives back what `fill` took. */
  free(): Promise<void>;
}

/** Mounts a tmpfs of so many megabytes at `path`, which is made. */
export async function mountSmallDisk(path: string, megabytes: number): Promise<SmallDisk> {
  mount(path, megabytes);
  const ballast = join(path, 'ballast');
  return {
    fill: () => fillUp(ballast),
    free: () => rm(ballast, { force: true }),
    async [Symbol.asyncDispose]() {
      unmount(path);
    },
  };
}

/** Why this machine cannot do it (not root, a container without the right); undefined when it can. */
export function whyNoSmallDisk(): string | undefined {
  const path = mkdtempSync(join(tmpdir(), 'postloop-disk-'));
  try {
    mount(path, 1);
    unmount(path);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message.trim().split('\n').at(-1) : String(error);
  } finally {
    rmSync(path, { recursive: true, force: true });
  }
}

function mount(path: string, megabytes: number): void {
  mkdirSync(path, { recursive: true });
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=755`, 'tmpfs', path], { stdio: 'pipe' });
}

/** Lazily: a process of the test that ended may still hold a file for a moment. */
function unmount(path: string): void {
  execFileSync('umount', ['--lazy', path], { stdio: 'pipe' });
}

const CHUNK = 4_096;

async function fillUp(path: string): Promise<void> {
  const file = await open(path, 'a');
  try {
    for (;;) await file.write(Buffer.alloc(CHUNK));
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error;
  } finally {
    await file.close();
  }
}
