import { once } from 'node:events';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findRedisServer, startRedis } from './redis.js';
import { temporaryDirectory } from './temporary-directory.js';

async function ask(port: number, command: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(`${command}\r\n`);
  const [answer] = await once(socket, 'data');
  socket.destroy();
  return String(answer);
}

test('redis-server is preferred to valkey-server, and only an executable file counts', async () => {
  await using dir = await temporaryDirectory();
  const [one, two] = [join(dir.path, 'one'), join(dir.path, 'two')];
  for (const folder of [one, two]) await mkdir(folder);
  await writeFile(join(one, 'redis-server'), 'not a program');
  await writeFile(join(one, 'valkey-server'), '#!/bin/sh\n', { mode: 0o755 });
  expect(findRedisServer([one, two])).toBe(join(one, 'valkey-server'));
  await writeFile(join(two, 'redis-server'), '#!/bin/sh\n', { mode: 0o755 });
  expect(findRedisServer([one, two])).toBe(join(two, 'redis-server'));
  await chmod(join(one, 'valkey-server'), 0o644);
  expect(findRedisServer([one])).toBeUndefined();
});

test.skipIf(!findRedisServer())('runs a Redis that evicts nothing and keeps its data over a restart', async () => {
  await using dir = await temporaryDirectory();
  const first = await startRedis({ dir: dir.path });
  expect(await ask(first.port, 'CONFIG GET maxmemory-policy')).toContain('noeviction');
  expect(await ask(first.port, 'CONFIG GET appendfsync')).toContain('everysec');
  expect(await ask(first.port, 'SET kept yes')).toBe('+OK\r\n');
  await first.stop();
  await using second = await startRedis({ dir: dir.path });
  expect(await ask(second.port, 'GET kept')).toBe('$3\r\nyes\r\n');
  expect(second.url).toBe(`redis://127.0.0.1:${second.port}`);
  second.kill('SIGKILL');
  expect((await second.exited).signal).toBe('SIGKILL');
});

test('a server that does not start is reported with its words', async () => {
  await using dir = await temporaryDirectory();
  const program = join(dir.path, 'broken');
  await writeFile(program, '#!/bin/sh\necho "cannot open the thing" >&2\nexit 4\n', { mode: 0o755 });
  await expect(startRedis({ dir: dir.path, program })).rejects.toThrow(/ended with code 4[\s\S]*cannot open the thing/);
});
