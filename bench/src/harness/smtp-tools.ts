import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePort } from '@postloop/local-stack';
import { debianProgram, type Program } from './debian-program.js';
import { spawnTool, type Tool } from './tool.js';

const run = promisify(execFile);

/** postfix's sink: accepts every mail and drops it. */
export interface SmtpSink extends Tool {
  port: number;
  url: string;
}

const postfix = (name: string): Promise<Program> => debianProgram(name, 'postfix', 'usr/lib/postfix');

/** smtp-sink of postfix; backlog 100. */
export async function startSmtpSink(dir: string): Promise<SmtpSink> {
  const { path, env } = await postfix('smtp-sink');
  const port = await freePort();
  await mkdir(dir, { recursive: true });
  // It gives up root for a user of the machine, which must exist.
  const args = [...(process.getuid?.() === 0 ? ['-u', 'nobody'] : []), `127.0.0.1:${port}`, '100'];
  const tool = await spawnTool(path, args, { env, logFile: join(dir, 'smtp-sink.log') });
  await answering(port);
  return { ...tool, port, url: `smtp://127.0.0.1:${port}` };
}

/** @returns mails per second, and smtp-source's CPU seconds */
export async function runSmtpSource(sink: SmtpSink, mails: number, mailBytes: number): Promise<number> {
  const { path, env } = await postfix('smtp-source');
  const args = [
    '-d',
    '-s',
    '10',
    '-m',
    String(mails),
    '-l',
    String(mailBytes),
    '-f',
    'a@shop.example',
    '-t',
    'b@mail.example',
  ];
  const start = performance.now();
  await run(path, [...args, `127.0.0.1:${sink.port}`], { env: { ...process.env, ...env } });
  return mails / ((performance.now() - start) / 1_000);
}

export async function answering(port: number): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1');
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
    if (open) return;
    await pause(50);
  }
  throw new Error('the mail sink does not answer');
}
