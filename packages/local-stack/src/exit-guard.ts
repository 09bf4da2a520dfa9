/**
 * Children must not outlive us. Whatever way this process ends (return, throw, process.exit, SIGINT, SIGTERM, SIGHUP), each
 * guarded child gets its signal; only SIGKILL leaves them behind. Signal handlers are there only while a child is.
 */
const guarded = new Map<number, NodeJS.Signals>();
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Sends `signal` to the process `pid` when this process ends. The returned function ends the guard. */
export function guardChild(pid: number, signal: NodeJS.Signals): () => void {
  if (guarded.size === 0) watch();
  guarded.set(pid, signal);
  return () => {
    if (guarded.delete(pid) && guarded.size === 0) unwatch();
  };
}

function watch(): void {
  process.on('exit', stopAll);
  // First in line, to see the application's handler before a `once` takes itself off.
  for (const signal of signals) process.prependListener(signal, onSignal);
}

function unwatch(): void {
  process.off('exit', stopAll);
  for (const signal of signals) process.off(signal, onSignal);
}

function onSignal(signal: NodeJS.Signals): void {
  // The application has its own handler: it decides when to end, and then `exit` comes.
  if (process.listenerCount(signal) > 1) return;
  stopAll();
  unwatch();
  process.kill(process.pid, signal);
}

function stopAll(): void {
  for (const [pid, signal] of guarded) {
    try {
      process.kill(pid, signal);
    } catch {
      // Already gone.
    }
  }
  guarded.clear();
}
