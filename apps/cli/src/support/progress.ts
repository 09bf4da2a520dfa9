import { SingleBar } from 'cli-progress';

/** Tells what is going on: bars on a terminal, lines elsewhere. Always on stderr: stdout is for results. */
export interface Progress {
  step(message: string): void;
  /** Call with growing `done`; the bar ends when it reaches `total`. */
  bar(label: string): (done: number, total: number) => void;
}

export function createProgress(): Progress {
  const started = Date.now();
  const line = (message: string) =>
    process.stderr.write(`${((Date.now() - started) / 1000).toFixed(1).padStart(6)} s  ${message}\n`);
  return { step: line, bar: (label) => (process.stderr.isTTY ? terminalBar(label) : lineBar(label, line)) };
}

/** For commands whose result says it all: progress on a terminal, silence elsewhere. */
export function createQuietProgress(): Progress {
  return process.stderr.isTTY ? createProgress() : { step: () => undefined, bar: () => () => undefined };
}

function terminalBar(label: string) {
  const bar = new SingleBar({
    format: `          ${label.padEnd(10)} {bar} {value}/{total}`,
    hideCursor: true,
    stream: process.stderr,
  });
  let running = false;
  return (done: number, total: number) => {
    if (!running) bar.start(total, done);
    running = true;
    bar.update(done);
    if (done >= total) bar.stop();
  };
}

function lineBar(label: string, line: (message: string) => void) {
  let told = -1;
  return (done: number, total: number) => {
    const quarter = total === 0 ? 4 : Math.floor((done / total) * 4);
    if (quarter === told) return;
    told = quarter;
    line(`${label} ${done}/${total}`);
  };
}
