import { expect, it } from 'vitest';
import { unsubscribeEventId } from './unsubscribe-event-id.js';

it('an unsubscribe has one ID for ever, a UUID of version 8', () => {
  // Recorded events carry it: a change of this line is a change of what counts once.
  expect(unsubscribeEventId(20_000n, 9_007_199_254_740_993_000n)).toBe('e587ac20-562e-8cf0-969d-aca69c8800e6');
  expect(unsubscribeEventId(20_000n, 1_000n)).not.toBe(unsubscribeEventId(20_001n, 1_000n));
});
