import { expect, it } from 'vitest';
import { ReadyQueue } from './ready-queue.js';

const item = (name: string, ...scopes: string[]) => ({ name, scopes });
const all = (_scopes: readonly string[], wanted: number) => wanted;
const names = (items: { name: string }[]) => items.map(({ name }) => name);

it('first come, first served among those with the same limits', () => {
  const queue = new ReadyQueue<ReturnType<typeof item>>();
  queue.add([item('a'), item('b'), item('c')]);
  expect(names(queue.take(2, all))).toEqual(['a', 'b']);
  expect(names(queue.take(2, all))).toEqual(['c']);
  expect(queue.size).toBe(0);
});

it('those with different limits take turns', () => {
  const queue = new ReadyQueue<ReturnType<typeof item>>();
  queue.add(['a1', 'a2', 'a3', 'a4'].map((name) => item(name, 'a')));
  queue.add([item('b1', 'b')]);
  expect(names(queue.take(3, all)).sort()).toEqual(['a1', 'a2', 'b1']);
});

it('what is not granted stays in its place, and others have its share', () => {
  const queue = new ReadyQueue<ReturnType<typeof item>>();
  queue.add([item('a1', 'a'), item('a2', 'a'), ...['b1', 'b2', 'b3'].map((name) => item(name, 'b'))]);
  const oneOfA = (scopes: readonly string[], wanted: number) => (scopes[0] === 'a' ? Math.min(1, wanted) : wanted);
  let granted = 0;
  expect(
    names(queue.take(4, (scopes, wanted) => (scopes[0] === 'a' && granted++ > 0 ? 0 : oneOfA(scopes, wanted)))),
  ).toEqual(['a1', 'b1', 'b2', 'b3']);
  expect(names(queue.take(4, all))).toEqual(['a2']);
});

it('takes out what is withdrawn', () => {
  const queue = new ReadyQueue<ReturnType<typeof item>>();
  queue.add([item('a1', 'a'), item('b1', 'b'), item('a2', 'a')]);
  expect(names(queue.remove(({ name }) => name.endsWith('1')))).toEqual(['a1', 'b1']);
  expect(names(queue.take(9, all))).toEqual(['a2']);
  expect(queue.some(() => true)).toBe(false);
});
