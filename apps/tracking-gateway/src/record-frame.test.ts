import { describe, expect, it } from 'vitest';
import { checkPayload, decodeFrames, encodeFrames } from './record-frame.js';

const text = (payloads: Buffer[]) => payloads.map(String);
const two = encodeFrames([Buffer.from('first'), Buffer.from('zweiter é')]);
const first = encodeFrames([Buffer.from('first')]).length;

describe('frames', () => {
  it('come back in order, at most as many as asked for', () => {
    expect(text(decodeFrames(two, 10).payloads)).toEqual(['first', 'zweiter é']);
    expect(decodeFrames(two, 1)).toEqual({ payloads: [Buffer.from('first')], end: first });
  });

  it('stop before a tail that was cut at any byte', () => {
    for (let length = first; length < two.length; length += 1)
      expect(text(decodeFrames(two.subarray(0, length), 10).payloads)).toEqual(['first']);
  });

  it('stop before a byte that is not what was written', () => {
    for (let at = first; at < two.length; at += 1) {
      const damaged = Buffer.from(two);
      damaged[at] = (damaged[at] ?? 0) ^ 0x10;
      expect(decodeFrames(damaged, 10)).toMatchObject({ end: first });
    }
  });

  it('stop before the zeros that a file system may leave after a power cut', () => {
    expect(decodeFrames(Buffer.concat([two, Buffer.alloc(4096)]), 10)).toMatchObject({ end: two.length });
  });

  it('never hold nothing, as zeros would pass for it', () => {
    expect(() => checkPayload(Buffer.alloc(0))).toThrow(RangeError);
  });
});
