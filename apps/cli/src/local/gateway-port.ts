import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { freePort } from '@postloop/local-stack';

/**
 * The port of the tracking gateway, the same at each start: links in mails that were sent name it.
 * `changed`: another program holds the old one, and those links lead nowhere.
 */
export async function gatewayPort(data: string): Promise<{ port: number; changed: boolean }> {
  const file = join(data, 'gateway-port');
  const known = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0;
  if (known > 0 && (await isFree(known))) return { port: known, changed: false };
  const port = await freePort();
  writeFileSync(file, `${port}\n`);
  return { port, changed: known > 0 };
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}
