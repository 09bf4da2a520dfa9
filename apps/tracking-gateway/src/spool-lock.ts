import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { link, mkdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';

/** Who holds a spool directory. `started`: what the system says of the process's start, as process IDs come again. */
interface Owner {
  pid: number;
  started: string;
  host: string;
}

const HEARTBEAT_MS = 5_000;
const SILENT_MS = 30_000;
const ATTEMPTS = 5;

/**
 * Takes the directory for this process alone, until disposed. The lock of a process that is gone is taken over. A process
 * on another host (a container) cannot be looked at: its lock is taken over when it was not touched for 30 seconds.
 * @throws when another gateway uses the directory
 */
export async function lockSpool(directory: string): Promise<AsyncDisposable> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, 'lock');
  const owner: Owner = { pid: process.pid, started: startOf(process.pid), host: hostname() };
  const mine = JSON.stringify(owner);
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    if (await create(path, mine)) return hold(path, mine);
    await clearStale(path, directory);
  }
  throw new Error(`${directory}: the lock changes hands all the time, several gateways want it`);
}

/** Appears with its content or not at all. */
async function create(path: string, content: string): Promise<boolean> {
  const draft = `${path}.${randomUUID()}`;
  await writeFile(draft, content);
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

async function clearStale(path: string, directory: string): Promise<void> {
  const found = await readLock(path);
  if (!found) return; // given up in the meantime
  if (!isStale(found))
    throw new Error(
      `${directory} is used by another tracking gateway (${found.text}): give each one a SPOOL_DIR of its own`,
    );
  const moved = `${path}.${randomUUID()}`;
  await rename(path, moved).catch(ignoreMissing);
  // Two that saw the same stale lock: the slower one has moved the lock of the faster one, and gives it back.
  if ((await readLock(moved))?.text !== found.text) await link(moved, path).catch(() => undefined);
  await rm(moved, { force: true });
}

interface FoundLock {
  text: string;
  owner: Owner | undefined;
  touchedAt: number;
}

async function readLock(path: string): Promise<FoundLock | undefined> {
  try {
    const [text, { mtimeMs }] = await Promise.all([readFile(path, 'utf8'), stat(path)]);
    return { text, owner: parseOwner(text), touchedAt: mtimeMs };
  } catch (error) {
    return ignoreMissing(error);
  }
}

function parseOwner(text: string): Owner | undefined {
  try {
    const { pid, started, host } = JSON.parse(text) as Record<keyof Owner, unknown>;
    if (typeof pid === 'number' && typeof started === 'string' && typeof host === 'string')
      return { pid, started, host };
  } catch {
    // Not ours: judged by its age.
  }
  return undefined;
}

function isStale({ owner, touchedAt }: FoundLock): boolean {
  if (owner?.host !== hostname()) return Date.now() - touchedAt > SILENT_MS;
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    return hasCode(error, 'ESRCH');
  }
  return owner.started !== '' && startOf(owner.pid) !== owner.started;
}

/** Clock ticks from boot to the start of the process (proc(5), field 22 of stat); empty where there is no /proc. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}

function hold(path: string, mine: string): AsyncDisposable {
  const heartbeat = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => undefined);
  }, HEARTBEAT_MS);
  heartbeat.unref();
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(heartbeat);
      if ((await readLock(path))?.text === mine) await rm(path, { force: true });
    },
  };
}

function ignoreMissing(error: unknown): undefined {
  if (!hasCode(error, 'ENOENT')) throw error;
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
