import { expect, it } from 'vitest';
import { type TicketSlice, TicketSlices } from './ticket-slices.js';

/** All slices of the tickets from 1 to `last`, with as many rows as `rowsOf` says. */
function cut(last: number, rowsOf: (tickets: number) => number): (TicketSlice & { rows: number })[] {
  const slices = new TicketSlices({ fromTicket: 0n, toTicket: BigInt(last) });
  const found: (TicketSlice & { rows: number })[] = [];
  for (let slice = slices.next(); slice; slice = slices.next()) {
    const rows = rowsOf(Number(slice.upTo - slice.after));
    slices.held(slice, rows);
    found.push({ ...slice, rows });
  }
  return found;
}

it('slices lie end to end and hold every ticket once', () => {
  const slices = cut(123_456, (tickets) => tickets * 3_000);
  expect(slices[0]?.after).toBe(0n);
  expect(slices.at(-1)?.upTo).toBe(123_456n);
  expect(slices.slice(1).map(({ after }) => after)).toEqual(slices.slice(0, -1).map(({ upTo }) => upTo));
});

it.each([1, 500, 40_000])(
  'with %i events a ticket, a slice soon has about as many rows as are sorted in memory',
  (each) => {
    const [, , , , ...steady] = cut(10_000_000 / each + 3_000, (tickets) => tickets * each).slice(0, -1);
    expect(steady.length).toBeGreaterThan(0);
    for (const { rows } of steady) expect(rows).toBeGreaterThan(300_000);
    for (const { rows } of steady) expect(rows).toBeLessThanOrEqual(400_000);
  },
);

it('a million tickets without an event are a few slices', () => {
  expect(cut(1_000_000, () => 0).length).toBeLessThan(10);
});

it('all in one, for what is in another order', () => {
  const slices = new TicketSlices({ fromTicket: 5n, toTicket: 1_000_000n }, false);
  expect(slices.next()).toEqual({ after: 5n, upTo: 1_000_000n });
  expect(slices.next()).toBeUndefined();
  expect(new TicketSlices({ fromTicket: 5n, toTicket: 5n }, false).next()).toBeUndefined();
});
