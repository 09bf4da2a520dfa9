/**
 * Named places at which a fault test has the process kill itself with SIGKILL, as a power cut would, or with another signal:
 * SIGSTOP makes it stand still there. Unarmed, a kill point is one comparison.
 */
let armed: { name: string; remaining: number; signal: string } | undefined;

/** `NAME` kills at the first pass, `NAME:COUNT` at the COUNT-th, `NAME:COUNT:SIGNAL` with that signal. */
export function armKillPoint(spec: string | undefined): void {
  if (!spec) return;
  const [name = '', count = '1', signal = 'SIGKILL'] = spec.split(':');
  armed = { name, remaining: Number(count), signal };
}

export function killPoint(name: string): void {
  if (armed === undefined || armed.name !== name) return;
  armed.remaining -= 1;
  if (armed.remaining === 0) process.kill(process.pid, armed.signal);
}
