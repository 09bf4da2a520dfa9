import type { IncomingMessage } from '@postloop/db';
import { expect, it } from 'vitest';
import { StoreGroup } from './store-group.js';

const message = (text: string): IncomingMessage => ({
  source: 'smtp',
  raw: Buffer.from(text),
  envelopeFrom: '',
  envelopeTo: [],
  receivedAt: new Date(),
});
const textsOf = (messages: readonly IncomingMessage[]) => messages.map(({ raw }) => raw.toString());

it('messages that come in while a statement runs share the next one; nobody is answered before it ends', async () => {
  const groups: string[][] = [];
  const ends: (() => void)[] = [];
  const group = new StoreGroup(async (messages) => {
    groups.push(textsOf(messages));
    await new Promise<void>((resolve) => ends.push(resolve));
    return messages.map(() => 'stored');
  });
  const answered: string[] = [];
  const stored = ['a', 'b', 'c'].map(async (text) => {
    await group.store(message(text));
    answered.push(text);
  });
  ends[0]?.();
  await stored[0];
  expect([groups, answered]).toEqual([[['a'], ['b', 'c']], ['a']]);
  ends[1]?.();
  await Promise.all(stored);
  expect(answered).toEqual(['a', 'b', 'c']);
});

it('one that cannot be stored takes no other one with it', async () => {
  const group = new StoreGroup(async (messages) => {
    if (textsOf(messages).includes('bad')) throw new Error('refused');
    return messages.map(() => 'stored');
  });
  const results = await Promise.allSettled(['a', 'b', 'bad', 'c'].map((text) => group.store(message(text))));
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
});

it('a large message does not wait with others for one statement, nor do too many', async () => {
  const groups: number[] = [];
  const group = new StoreGroup(async (messages) => {
    groups.push(messages.length);
    return messages.map(() => 'stored');
  });
  const large = 'x'.repeat(9_999_999);
  await Promise.all(
    ['first', 'a', large, 'b', ...Array.from({ length: 150 }, () => 'c')].map((text) => group.store(message(text))),
  );
  expect(groups).toEqual([1, 2, 100, 51]);
});
