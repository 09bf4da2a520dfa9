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

  /**
   * @param idle share of the cores that stands idle where there is enough to do for all: Linux leaves a task that ran a moment ago
   *   where it is until its next tick, also when another core has nothing to do
   */
  constructor(
    private readonly cores: number,
    private readonly idle: number,
  ) {}

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
      const tasks = this.#tasks.length;
      const speed = tasks < this.cores ? 1 : (this.cores * (1 - this.idle)) / tasks;
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
  readonly #waiting: { seconds: number; done: () => void }[] = [];
  #busy = false;

  constructor(private readonly machine: Machine) {}

  compute(seconds: number, done: () => void): void {
    this.#waiting.push({ seconds, done });
    if (!this.#busy) this.#next();
  }

  #next(): void {
    const task = this.#waiting.shift();
    this.#busy = task !== undefined;
    if (!task) return;
    this.machine.compute(task.seconds, () => {
      task.done();
      this.#next();
    });
  }
}
