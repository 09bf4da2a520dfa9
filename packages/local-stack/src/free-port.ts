import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * A TCP port of 127.0.0.1 that nothing listens on right now. Another process may take it before the caller does; ports
 * that this process handed out lately are not handed out twice.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = await tryPort(randomInt(FIRST, LAST));
    if (port === undefined || recent.has(port)) continue;
    recent.add(port);
    setTimeout(() => recent.delete(port), 30_000).unref();
    return port;
  }
}

const recent = new Set<number>();

/** Below what systems give to outgoing connections (Linux: from 32,768 on), so that none of those takes it meanwhile. */
const FIRST = 20_000;
const LAST = 32_000;

/** Undefined when something listens there. */
async function tryPort(port: number): Promise<number | undefined> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch {
    return undefined;
  }
  server.close();
  await once(server, 'close');
  return port;
}
