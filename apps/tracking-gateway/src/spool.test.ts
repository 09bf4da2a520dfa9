import { constants } from 'node:fs';
import { appendFile, mkdtemp, readdir, readFile, readlink, rm, stat, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSpool, type Spool, type SpoolOptions } from './spool.js';
import { openWith, signal } from './testing/segment-file.js';

let directory: string;
const warnings: unknown[] = [];
const log = { warn: (...args: unknown[]) => void warnings.push(args) };
const opened = (options: Partial<SpoolOptions> = {}) => openSpool({ directory, log, ...options });
const record = (n: number) => Buffer.from(`record ${n}`);
const records = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => `record ${from + i}`);
const append = (spool: Spool, from: number, to: number) =>
  Promise.all(records(from, to).map((text) => spool.append(Buffer.from(text))));
const segments = async () => (await readdir(directory)).filter((name) => name.endsWith('.spool')).sort();

async function readAll(spool: Spool): Promise<string[]> {
  const all: string[] = [];
  for (let some = await spool.peek(7); some.length > 0; some = await spool.peek(7)) {
    all.push(...some.map(String));
    await spool.commit();
  }
  return all;
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'postloop-spool-'));
  warnings.length = 0;
});
afterEach(() => rm(directory, { recursive: true, force: true }));

describe('the spool', () => {
  it('gives back what was appended, in order, and leaves no file', async () => {
    const spool = await opened();
    await append(spool, 1, 50);
    expect(await readAll(spool)).toEqual(records(1, 50));
    expect(spool.waitingBytes).toBe(0);
    await spool.close();
    expect(await segments()).toEqual([]);
  });

  it('shows the same records again until they are committed', async () => {
    const spool = await opened();
    await append(spool, 1, 3);
    expect((await spool.peek(2)).map(String)).toEqual(records(1, 2));
    expect((await spool.peek(2)).map(String)).toEqual(records(1, 2));
    await spool.commit();
    expect((await spool.peek(2)).map(String)).toEqual(records(3, 3));
    await spool.close();
  });

  it('gives the next life what this one did not commit, before anything new', async () => {
    const killed = await opened(); // not closed, as after kill -9
    await append(killed, 1, 5);
    const next = await opened();
    await append(next, 6, 8);
    expect(await readAll(next)).toEqual(records(1, 8));
    await next.close();
    await killed.close(); // only now, so that no file handle is left over
  });

  it('wakes who waits for records', async () => {
    const spool = await opened();
    const woken = spool.waitForRecords(new AbortController().signal);
    await append(spool, 1, 1);
    await woken;
    await spool.close();
  });

  it('cuts a torn tail and goes on with the next segment', async () => {
    const first = await opened();
    await append(first, 1, 3);
    const [name = ''] = await segments();
    await truncate(join(directory, name), (await stat(join(directory, name))).size - 2);
    const second = await opened();
    await append(second, 4, 5);
    await appendFile(join(directory, (await segments())[1] ?? ''), Buffer.alloc(512));
    const third = await opened();
    expect(await readAll(third)).toEqual([...records(1, 2), ...records(4, 5)]);
    expect(warnings).toHaveLength(2);
    await third.close();
    expect(await segments()).toEqual([]);
    await Promise.all([first.close(), second.close()]);
  });

  it('finishes segments by size and by age, and deletes each when all of it is committed', async () => {
    let now = 0;
    const spool = await opened({ segmentBytes: 60, segmentMs: 1_000, now: () => now });
    for (let n = 1; n <= 10; n += 1) await spool.append(record(n)); // 16 or 17 bytes each
    expect(await segments()).toHaveLength(3);
    now = 1_000;
    await spool.append(record(11));
    expect(await segments()).toHaveLength(4);
    expect((await spool.peek(100)).map(String)).toEqual(records(1, 4));
    expect(await segments()).toHaveLength(4);
    await spool.commit();
    expect(await segments()).toHaveLength(3);
    expect(await readAll(spool)).toEqual(records(5, 11));
    await spool.close();
  });
});

describe('group commit', () => {
  // Only the kernel knows; no kill shows it, a power cut would. Where there is no /proc, the kernel cannot be asked.
  it.runIf(process.platform === 'linux')('writes to a file that is flushed by each write', async () => {
    const spool = await opened();
    await append(spool, 1, 1);
    const flags: number[] = [];
    for (const fd of await readdir('/proc/self/fd')) {
      const path = await readlink(`/proc/self/fd/${fd}`).catch(() => '');
      if (!path.startsWith(directory) || !path.endsWith('.spool')) continue;
      flags.push(
        Number.parseInt(/^flags:\s*(\d+)$/m.exec(await readFile(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1] ?? '', 8),
      );
    }
    const writing = flags.filter((one) => (one & constants.O_WRONLY) !== 0);
    expect(writing.map((one) => one & constants.O_DSYNC)).toEqual([constants.O_DSYNC]);
    await spool.close();
  });

  it('lets all that arrive during a flush share the next one', async () => {
    const flushing = signal();
    const flushed = signal();
    let flushes = 0;
    const openFile = openWith((file) => ({
      async write(...bytes) {
        flushes += 1;
        flushing.fire();
        if (flushes === 1) await flushed.fired;
        return file.write(...bytes);
      },
    }));
    const spool = await opened({ openFile });
    const first = append(spool, 1, 1);
    await flushing.fired;
    const others = append(spool, 2, 500);
    flushed.fire();
    await Promise.all([first, others]);
    expect(flushes).toBe(2);
    expect(await readAll(spool)).toEqual(records(1, 500));
    await spool.close();
  });

  it('answers nobody, and shows nothing, before the flush has ended', async () => {
    const flushing = signal();
    const flushed = signal();
    const openFile = openWith((file) => ({
      async write(...bytes) {
        flushing.fire();
        await flushed.fired;
        return file.write(...bytes);
      },
    }));
    const spool = await opened({ openFile });
    let answered = false;
    const appended = spool.append(record(1)).then(() => {
      answered = true;
    });
    await flushing.fired;
    expect(answered).toBe(false);
    expect(await spool.peek(1)).toEqual([]);
    flushed.fire();
    await appended;
    expect((await spool.peek(1)).map(String)).toEqual(records(1, 1));
    await spool.close();
  });

  it('tells everybody in the group of a full disk, leaves nothing half, and goes on when there is room again', async () => {
    let full = false;
    const openFile = openWith((file) => ({
      async write(bytes, offset, length, position) {
        if (!full) return file.write(bytes, offset, length, position);
        await file.write(bytes, offset, 5, position);
        throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
      },
    }));
    const spool = await opened({ openFile });
    await append(spool, 1, 2);
    full = true;
    const refused = await Promise.allSettled(records(3, 5).map((text) => spool.append(Buffer.from(text))));
    expect(refused.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    full = false;
    await append(spool, 6, 7);
    expect(await readAll(spool)).toEqual([...records(1, 2), ...records(6, 7)]);
    expect(warnings).toEqual([]);
    await spool.close();
    expect(await segments()).toEqual([]);
  });
});
