import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** One connection through the proxy: the bytes that passed so far. */
export interface Link {
  readonly toServer: number;
  readonly toClient: number;
}

/** How many of these bytes still pass before the connection is cut; undefined: all of them, and it stays. */
export type Cut = (bytes: Buffer, link: Link) => number | undefined;

/** Stands between an app and a server and breaks the connection where a test wants it broken. */
export interface TcpProxy extends AsyncDisposable {
  readonly port: number;
  /** Asked for all that passes, in each direction; may be changed at any time. */
  cut: { toServer?: Cut; toClient?: Cut };
  /** Cuts that were made. */
  readonly cuts: number;
  /** Resets all connections that are open. @returns how many */
  resetAll(): number;
}

interface Pair {
  client: Socket;
  server: Socket;
  link: { toServer: number; toClient: number };
}

/** Listens on a free port of 127.0.0.1 and connects to `port` there. */
export async function startTcpProxy(port: number): Promise<TcpProxy> {
  const pairs = new Set<Pair>();
  let cuts = 0;

  const pass = (pair: Pair, direction: 'toServer' | 'toClient') => {
    const [from, to] = direction === 'toServer' ? [pair.client, pair.server] : [pair.server, pair.client];
    from.on('data', (bytes) => {
      const left = proxy.cut[direction]?.(bytes, pair.link);
      if (left !== undefined) {
        cuts += 1;
        pairs.delete(pair);
        from.resetAndDestroy();
        to.end(bytes.subarray(0, left), () => to.destroy());
        return;
      }
      pair.link[direction] += bytes.length;
      if (!to.write(bytes)) from.pause();
    });
    to.on('drain', () => from.resume());
    from.on('end', () => to.end());
    from.on('error', () => to.destroy());
    from.on('close', () => {
      pairs.delete(pair);
      if (from.errored) to.destroy();
    });
  };

  const server = createServer((client) => {
    const pair = { client, server: connect(port, '127.0.0.1'), link: { toServer: 0, toClient: 0 } };
    pairs.add(pair);
    pass(pair, 'toServer');
    pass(pair, 'toClient');
  });
  const resetAll = () => {
    const open = [...pairs];
    pairs.clear();
    for (const pair of open) {
      pair.client.resetAndDestroy();
      pair.server.resetAndDestroy();
    }
    return open.length;
  };
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy: TcpProxy = {
    port: portOf(server),
    cut: {},
    get cuts() {
      return cuts;
    },
    resetAll,
    async [Symbol.asyncDispose]() {
      server.close();
      resetAll();
    },
  };
  return proxy;
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no TCP port');
  return address.port;
}
