import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '@postloop/local-stack';
import { answering, type SmtpSink } from './smtp-tools.js';
import { spawnTool } from './tool.js';

const PROGRAM = fileURLToPath(new URL('./delay-sink-process.js', import.meta.url));

/** A relay that takes `delayMs` (0: none) over each mail of a connection, cheap in CPU time. smtp-sink can wait for whole seconds only. */
export async function startDelaySink(dir: string, delayMs: number): Promise<SmtpSink> {
  await mkdir(dir, { recursive: true });
  const port = await freePort();
  const args = [PROGRAM, String(port), String(delayMs)];
  const tool = await spawnTool(process.execPath, args, { env: {}, logFile: join(dir, 'delay-sink.log') });
  await answering(port);
  return { ...tool, port, url: `smtp://127.0.0.1:${port}` };
}
