import { expect, it } from 'vitest';
import { newEventId } from './event-id.js';

it('event IDs are UUIDs of version 7 that begin with the time', () => {
  const at = Date.UTC(2026, 10, 21);
  const id = newEventId(at);
  expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16)).toBe(at);
  // More than random bytes are fetched for at once.
  expect(new Set(Array.from({ length: 5_000 }, () => newEventId(at))).size).toBe(5_000);
});
