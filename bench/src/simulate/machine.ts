interface Task {
  /** Seconds of one core that are left. */
  left: number;
  done: () => void;
}

interface Timer {
  at: number;
  done: () => void;
}

/** Half a nanosecond: what rounding leaves of a task. */
const NOTHING = 5e-10;

/** Cores that share what there is to compute, and a clock that jumps to what happens next. Times in seconds. */
export class Machine {
  #now = 0;
  #tasks: Task[] = [];
  #timers: Timer[] = [];

  constructor(private readonly cores: number) {}

  get now(): number {
    return this.#now;
  }

  /** Work that one core can do; it slows down when there is more of it than cores. */
  compute(seconds: number, done: () => void): void {
    this.#tasks.push({ left: seconds, done });
  }

  after(seconds: number, done: () => void): void {
    this.#timers.push({ at: this.#now + seconds, done });
  }

  /** Until nothing happens any more. */
  run(): void {
    while (this.#tasks.length + this.#timers.length > 0) {
      const speed = Math.min(1, this.cores / this.#tasks.length);
      const computed = this.#tasks.reduce((least, { left }) => Math.min(least, left), Infinity) / speed;
      const passed = this.#timers.reduce((least, { at }) => Math.min(least, at), Infinity) - this.#now;
      this.#advance(Math.max(0, Math.min(computed, passed)), speed);
    }
  }

  #advance(seconds: number, speed: number): void {
    this.#now += seconds;
    for (const task of this.#tasks) task.left -= seconds * speed;
    const ended = [
      ...this.#tasks.filter(({ left }) => left <= NOTHING),
      ...this.#timers.filter(({ at }) => at - this.#now <= NOTHING),
    ];
    this.#tasks = this.#tasks.filter(({ left }) => left > NOTHING);
    this.#timers = this.#timers.filter(({ at }) => at - this.#now > NOTHING);
    for (const { done } of ended) done();
  }
}

/** What one process does, one thing after the other. */
export class Thread {
  readonly #waiting: { seconds: number; done: () => void; stall: number }[] = [];
  #busy = false;

  constructor(private readonly machine: Machine) {}

  /** @param stall seconds that it stands still afterwards, while its core is free for others */
  compute(seconds: number, done: () => void, stall = 0): void {
    this.#waiting.push({ seconds, done, stall });
    if (!this.#busy) this.#next();
  }

  #next(): void {
    const task = this.#waiting.shift();
    this.#busy = task !== undefined;
    if (!task) return;
    this.machine.compute(task.seconds, () => {
      task.done();
      if (task.stall > 0) this.machine.after(task.stall, () => this.#next());
      else this.#next();
    });
  }
}
