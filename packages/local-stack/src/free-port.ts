import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * A TCP port of 127.0.0.1 that nothing listens on right now. Another process may take it before the caller does; ports
 * that this process handed out lately are not handed out twice.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = await askTheSystem();
    if (recent.has(port)) continue;
    recent.add(port);
    setTimeout(() => recent.delete(port), 30_000).unref();
    return port;
  }
}

const recent = new Set<number>();

async function askTheSystem(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('the system gave no TCP port');
  return address.port;
}
