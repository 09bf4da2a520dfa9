import { expect, it } from 'vitest';
import { newEventId, unsubscribeEventId } from './event-id.js';

it('event IDs are UUIDs of version 7 that begin with the time', () => {
  const at = Date.UTC(2026, 10, 21);
  const id = newEventId(at);
  expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16)).toBe(at);
  expect(newEventId(at)).not.toBe(id);
});

it('an unsubscribe has one ID for ever, a UUID of version 8', () => {
  // Recorded events carry it: a change of this line is a change of what counts once.
  expect(unsubscribeEventId(20_000n, 9_007_199_254_740_993_000n)).toBe('e587ac20-562e-8cf0-969d-aca69c8800e6');
  expect(unsubscribeEventId(20_000n, 1_000n)).not.toBe(unsubscribeEventId(20_001n, 1_000n));
});
