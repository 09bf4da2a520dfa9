export interface BatchSteps<Message, Read> {
  /** Never rejects, and ends in bounded time. */
  read: (message: Message) => Promise<Read>;
  /** All together. Never rejects: what could not be recorded comes back with its lease. */
  record: (read: readonly Read[]) => Promise<void>;
  /** For whoever claims them next. Never rejects. */
  giveBack: (messages: readonly Message[]) => Promise<void>;
  /** Milliseconds that the messages of a batch wait for each other. */
  patienceMs: number;
}

/**
 * Reads messages one after the other and records them together. When that takes too long, those that are read are recorded
 * and those behind are given back; the one under way goes on alone.
 */
export async function processBatch<Message, Read>(
  messages: readonly Message[],
  { read, record, giveBack, patienceMs }: BatchSteps<Message, Read>,
): Promise<void> {
  const patience = startTimer(patienceMs);
  let done: Read[] = [];
  for (const [index, message] of messages.entries()) {
    const reading = read(message);
    const inTime = await Promise.race([reading.then(() => true), patience.over]);
    if (!inTime) {
      await Promise.all([record(done), giveBack(messages.slice(index + 1))]);
      done = [];
    }
    done.push(await reading);
    if (!inTime) break;
  }
  patience.cancel();
  await record(done);
}

function startTimer(ms: number): { over: Promise<false>; cancel: () => void } {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  return { over, cancel: () => clearTimeout(timer) };
}
