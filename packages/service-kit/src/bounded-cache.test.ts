import { expect, it } from 'vitest';
import { BoundedCache } from './bounded-cache.js';

const kept = (cache: BoundedCache<string, number>, ...keys: string[]) => keys.filter((key) => cache.get(key));

it('lets go of what was not used for longest', () => {
  const cache = new BoundedCache<string, number>(2);
  cache.set('a', 1).set('b', 1);
  cache.get('a');
  cache.set('c', 1);
  expect(kept(cache, 'a', 'b', 'c')).toEqual(['a', 'c']);
});

it('counts weights, and holds what alone is too heavy until the next comes', () => {
  const cache = new BoundedCache<string, number>(10, (weight) => weight);
  cache.set('a', 4).set('b', 4).set('b', 6);
  expect(kept(cache, 'a', 'b')).toEqual(['a', 'b']);
  cache.set('huge', 11);
  expect(kept(cache, 'a', 'b', 'huge')).toEqual(['huge']);
  cache.set('c', 1);
  expect(kept(cache, 'huge', 'c')).toEqual(['c']);
});
