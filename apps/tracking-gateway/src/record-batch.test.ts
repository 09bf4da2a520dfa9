import { describe, expect, it } from 'vitest';
import { recordBatch } from './record-batch.js';

const refusal = Object.assign(new Error('invalid byte sequence for encoding "UTF8": 0x00'), { code: '22021' });
const numbers = (to: number) => Array.from({ length: to }, (_, i) => i + 1);

async function run(events: number[], failWith: (batch: readonly number[]) => Error | undefined) {
  const recorded: number[] = [];
  const rejected: string[] = [];
  let calls = 0;
  const insert = async (batch: readonly number[]) => {
    calls += 1;
    const error = failWith(batch);
    if (error) throw error;
    recorded.push(...batch);
  };
  const done = recordBatch(events, insert, async (event, reason) => void rejected.push(`${event}: ${reason}`));
  await done;
  return { recorded, rejected, calls };
}

describe('a batch', () => {
  it('goes in as one', async () => {
    expect(await run(numbers(1000), () => undefined)).toMatchObject({ recorded: numbers(1000), calls: 1 });
  });

  it('loses only the events that the database refuses for themselves', async () => {
    const result = await run(numbers(1000), (batch) =>
      batch.includes(3) || batch.includes(700) ? refusal : undefined,
    );
    expect(result.recorded).toEqual(numbers(1000).filter((n) => n !== 3 && n !== 700));
    expect(result.rejected).toEqual([`3: ${refusal.message}`, `700: ${refusal.message}`]);
    expect(result.calls).toBeLessThan(50);
  });

  it.each(['08006', '53300', '57P01', '40P01', '42703', 'ECONNREFUSED'])(
    'is kept whole when the failure (%s) may pass',
    async (code) => {
      const away = Object.assign(new Error('away'), { code });
      await expect(run(numbers(4), () => away)).rejects.toBe(away);
    },
  );

  it('is kept when a half was refused and then the database went away', async () => {
    const away = Object.assign(new Error('away'), { code: 'ECONNRESET' });
    await expect(run(numbers(4), (batch) => (batch.length === 4 ? refusal : away))).rejects.toBe(away);
  });
});
