import { createHash } from 'node:crypto';
import { formatRow } from '@postloop/csv-dialect';
import { describe, expect, test } from 'vitest';
import { RecordMeter } from './record-meter.js';

function measure(...chunks: Buffer[]) {
  const meter = new RecordMeter();
  for (const chunk of chunks) meter.update(chunk);
  return meter.result();
}

describe('RecordMeter', () => {
  test('counts records, whatever line breaks and quotes their values hold and wherever the chunks are cut', () => {
    const rows = [
      ['id', 'name'],
      ['1', 'a\nb\r\n"c"\n'],
      ['2', '"'],
      ['3', ''],
      ['4', '""\n""'],
      ['5', null],
    ];
    const bytes = Buffer.from(rows.map(formatRow).join(''));
    const expected = { rows: 5, bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
    for (let cut = 0; cut <= bytes.length; cut += 1) {
      expect(measure(bytes.subarray(0, cut), bytes.subarray(cut))).toEqual(expected);
    }
  });

  test('a file with a header only has no rows', () => {
    expect(measure(Buffer.from('id;name\n')).rows).toBe(0);
    expect(measure().rows).toBe(0);
  });
});
