import { connect } from 'node:net';

/** Says one command to a Redis; its first line of answer. */
export function redisCommand(port: number, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(`${command}\r\n`));
    socket.once('data', (answer) => {
      resolve(answer.toString().trim());
      socket.destroy();
    });
    socket.once('error', reject);
  });
}

/** Commands that a Redis has run so far, scripts' own ones included. */
export async function commandsServed(port: number): Promise<number> {
  const stats = await redisCommand(port, 'INFO commandstats');
  return [...stats.matchAll(/calls=(\d+)/g)].reduce((sum, [, calls]) => sum + Number(calls), 0);
}
