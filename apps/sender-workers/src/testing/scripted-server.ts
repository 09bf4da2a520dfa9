import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach } from 'vitest';

/** What the server answers to a line; undefined for no answer of its own. The message counts as one line, its text. */
export type Script = (line: string, socket: Socket) => string | undefined;

export interface ScriptedServer {
  port: number;
  /** What it was told after EHLO. */
  heard: string[];
}

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/**
 * A server that keeps what it was told and answers by script; `250 ok` and `354` where the script says nothing.
 * @param extensions it greets, and offers these; without them it takes clients that were greeted already
 */
export async function serveSmtp(
  script: Script = () => undefined,
  extensions?: readonly string[],
): Promise<ScriptedServer> {
  const heard: string[] = [];
  const server = createServer((socket) => {
    let rest = '';
    let inMessage = false;
    socket.on('error', () => undefined);
    if (extensions) socket.write('220 test\r\n');
    socket.on('data', (chunk) => {
      rest += chunk.toString('latin1');
      for (;;) {
        const end = inMessage ? /^\.\r\n|\r\n\.\r\n/.exec(rest) : /\r\n/.exec(rest);
        if (!end) return;
        const line = rest.slice(0, end.index);
        rest = rest.slice(end.index + end[0].length);
        if (!inMessage && line.startsWith('EHLO')) {
          socket.write(
            ['test', ...(extensions ?? [])]
              .map((text, i, all) => `250${i + 1 < all.length ? '-' : ' '}${text}\r\n`)
              .join(''),
          );
          continue;
        }
        heard.push(line);
        const answer = script(line, socket) ?? (line === 'DATA' && !inMessage ? '354 go' : '250 ok');
        inMessage = answer.startsWith('354');
        if (answer !== '') socket.write(`${answer}\r\n`);
      }
    });
  });
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, heard };
}

/** The connection ends when the client says this. */
export const hangUpAt =
  (prefix: string): Script =>
  (line, socket) => {
    if (!line.startsWith(prefix)) return undefined;
    socket.destroy();
    return '';
  };
