import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lockSpool } from './spool-lock.js';

let directory: string;
const lockFile = () => join(directory, 'lock');
const writeLock = (owner: object) => writeFile(lockFile(), JSON.stringify(owner));

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'postloop-lock-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

describe('the lock of a spool directory', () => {
  it('is refused to a second one with a message that says what to do, until it is given back', async () => {
    const first = await lockSpool(directory);
    await expect(lockSpool(directory)).rejects.toThrow(/used by another tracking gateway.*SPOOL_DIR of its own/);
    await first[Symbol.asyncDispose]();
    expect(await readdir(directory)).toEqual([]);
    const second = await lockSpool(directory);
    await second[Symbol.asyncDispose]();
  });

  it('is taken over from a process that is gone', async () => {
    const child = spawn(process.execPath, ['--version']);
    await once(child, 'exit');
    await writeLock({ pid: child.pid, started: '', host: hostname() });
    await using _lock = await lockSpool(directory);
    expect(JSON.parse(await readFile(lockFile(), 'utf8'))).toMatchObject({ pid: process.pid });
  });

  it('is taken over when the process ID came again, as it does in containers', async () => {
    await writeLock({ pid: process.pid, started: '1', host: hostname() });
    await using _lock = await lockSpool(directory);
    expect(JSON.parse(await readFile(lockFile(), 'utf8'))).not.toMatchObject({ started: '1' });
  });

  it('of another host is taken over only when it was silent for 30 seconds', async () => {
    await writeLock({ pid: process.pid, started: '', host: 'elsewhere' });
    await expect(lockSpool(directory)).rejects.toThrow(/another tracking gateway/);
    const silent = new Date(Date.now() - 31_000);
    await utimes(lockFile(), silent, silent);
    await using _lock = await lockSpool(directory);
    expect(JSON.parse(await readFile(lockFile(), 'utf8'))).toMatchObject({ host: hostname() });
  });

  it('goes to exactly one of many that find the same stale one', async () => {
    await writeLock({ pid: process.pid, started: '1', host: hostname() });
    const results = await Promise.allSettled(Array.from({ length: 8 }, () => lockSpool(directory)));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });
});
