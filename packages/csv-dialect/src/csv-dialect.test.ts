import { Readable } from 'node:stream';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CsvFault, decodeRecord, formatRow, type HeaderRule, numberRecords, type Row, readRows } from './index.js';

const chunked = (bytes: Buffer, size: number) =>
  Readable.from(
    Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size)),
  );

async function rows(text: string | Buffer, columns?: number, size = 7) {
  const read: { line: number; values: Row }[] = [];
  for await (const row of readRows(chunked(Buffer.from(text), size), columns === undefined ? {} : { columns }))
    read.push(row);
  return read;
}

async function fault(text: string | Buffer, columns?: number): Promise<CsvFault> {
  return rows(text, columns).then(
    () => expect.unreachable('the file was accepted'),
    (error: unknown) => error as CsvFault,
  );
}

describe('the dialect', () => {
  const cases: [string, string, Row[]][] = [
    ['NULL and an empty string differ', 'a;;"";b\n', [['a', null, '', 'b']]],
    ['quotes inside are doubled', '"say ""hi""";x\n', [['say "hi"', 'x']]],
    ['a quoted semicolon and line break are data', '"a;b";"c\nd"\n', [['a;b', 'c\nd']]],
    [
      'CRLF ends a line too',
      'a;b\r\nc;d\r\n',
      [
        ['a', 'b'],
        ['c', 'd'],
      ],
    ],
    ['a BOM is no data', '\uFEFFa;b\n', [['a', 'b']]],
    [
      'the last line needs no line break',
      'a;b\nc;d',
      [
        ['a', 'b'],
        ['c', 'd'],
      ],
    ],
    [
      'blank lines are no rows',
      'a;b\n\n\r\nc;d\n',
      [
        ['a', 'b'],
        ['c', 'd'],
      ],
    ],
    ['empty fields at both ends', ';x;\n', [[null, 'x', null]]],
    ['a lone carriage return in quotes is data', '"a\rb";"\r"\r\n', [['a\rb', '\r']]],
    ['blanks are data', ' a ; \n', [[' a ', ' ']]],
    ['a BOM inside is data', 'a;\uFEFFb\n', [['a', '\uFEFFb']]],
  ];
  it.each(cases)('%s', async (_name, text, expected) => {
    for (const size of [1, 2, 5, 1000])
      expect((await rows(text, undefined, size)).map((row) => row.values)).toEqual(expected);
  });

  it('numbers physical lines, also after line breaks inside a value', async () => {
    expect((await rows('a;"1\n2\n3"\n\nb;x\n')).map((row) => row.line)).toEqual([1, 5]);
  });
});

describe('faults name their place', () => {
  const cases: [string, string | Buffer, Partial<CsvFault>][] = [
    ['too few columns', 'a;b\nc\n', { code: 'column_count', line: 2, column: 1 }],
    ['too many columns', 'a;b\nc;d;e\n', { code: 'column_count', line: 2, column: 3 }],
    ['a quote that is never closed', 'a;b\nc;"d\ne;f\n', { code: 'quoting', line: 2, column: 2 }],
    ['a quote inside an unquoted field', 'a;b"c\n', { code: 'quoting', line: 1, column: 2 }],
    ['text after the closing quote', 'a;"b"c\n', { code: 'quoting', line: 1, column: 2 }],
    ['a lone carriage return', 'a;b\rc;d\n', { code: 'line_break', line: 1, column: 2 }],
    ['a lone carriage return at the end of the file', 'a;b\nc;d\r', { code: 'line_break', line: 2, column: 2 }],
    [
      'a lone carriage return after a value with line breaks',
      '"a\nb";c\rd\n',
      { code: 'line_break', line: 2, column: 2 },
    ],
    ['a line of blanks', 'a;b\n  \n', { code: 'column_count', line: 2, column: 1 }],
    ['UTF-16', Buffer.from('\uFEFFa;b\n', 'utf16le'), { code: 'encoding', line: 1, column: 1 }],
    [
      'a surrogate as UTF-8',
      Buffer.from([0x61, 0x3b, 0xed, 0xa0, 0x80, 0x0a]),
      { code: 'encoding', line: 1, column: 2 },
    ],
    ['an overlong form', Buffer.from([0x61, 0x3b, 0xc0, 0xaf, 0x0a]), { code: 'encoding', line: 1, column: 2 }],
    [
      'invalid UTF-8',
      Buffer.from([0x61, 0x3b, 0x62, 0x0a, 0x63, 0x3b, 0xff, 0x0a]),
      { code: 'encoding', line: 2, column: 2 },
    ],
    ['a NUL byte', 'a;b\nc\0;d\n', { code: 'encoding', line: 2, column: 1 }],
    ['a cut-off UTF-8 sequence', Buffer.from([0x61, 0x3b, 0xc3]), { code: 'encoding', line: 1, column: 2 }],
  ];
  it.each(cases)('%s', async (_name, text, expected) => {
    const found = await fault(text);
    expect(found).toBeInstanceOf(CsvFault);
    expect(found).toMatchObject(expected);
    expect(found.remedy).not.toBe('');
  });

  it('an unclosed quote does not swallow the memory', async () => {
    const endless = Readable.from(
      (function* () {
        yield Buffer.from('a;"');
        for (;;) yield Buffer.alloc(65_536, 'x');
      })(),
    );
    const read = (async () => {
      for await (const _row of readRows(endless)) expect.unreachable();
    })();
    await expect(read).rejects.toMatchObject({ code: 'record_too_long', line: 1 });
  });
});

describe('the header', () => {
  const names = ['Email', 'WAVE_ID', 'First name'];
  async function read(mode: HeaderRule['mode'], text: string) {
    const { stream, counts } = numberRecords({ columns: names.length, header: { mode, names } });
    const out: Buffer[] = [];
    for await (const part of chunked(Buffer.from(text), 5).pipe(stream)) out.push(part as Buffer);
    return { records: Buffer.concat(out).toString(), counts };
  }

  it.each(['present', 'auto'] as const)(
    '%s: names are compared trimmed, whatever their case and quotes; the row is no record',
    async (mode) => {
      const { records, counts } = await read(mode, '\uFEFF\n email ;"wave_id";FIRST NAME\r\na;1;b\r\n');
      expect(records).toBe('3;a;1;b\n');
      expect(counts).toMatchObject({ records: 1, blankLines: 1 });
    },
  );

  it('auto: a first row with one other value is data', async () => {
    expect((await read('auto', 'Email;WAVE_ID;Name\na;1;b\n')).records).toBe('1;Email;WAVE_ID;Name\n2;a;1;b\n');
  });

  it('is looked for in the first row only', async () => {
    expect((await read('auto', 'a;1;b\nEmail;WAVE_ID;First name\n')).counts.records).toBe(2);
  });

  it.each([
    ['another name', 'Email;WAVE_ID;Name\n', 3, '"First name"'],
    ['another order', 'WAVE_ID;Email;First name\n', 1, '"WAVE_ID"'],
    ['a column that is missing', 'Email;WAVE_ID\n', 3, 'ends before'],
    ['a column too many', 'Email;WAVE_ID;First name;Age\n', 4, '"Age"'],
    ['data', 'a@b.example;;\n', 1, '"a@b.example"'],
    ['an empty value', 'Email;;First name\n', 2, '"WAVE_ID"'],
  ])('present: %s is told with its column', async (_what, text, column, told) => {
    await expect(read('present', `\n${text}`)).rejects.toMatchObject({
      code: 'header',
      line: 2,
      column,
      message: expect.stringContaining(told),
    });
  });
});

const value = fc
  .option(
    fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('', ';', '"', '\n', 'a\r\nb', '""', ' x ', '\\.')),
    { nil: null },
  )
  .filter((text) => text === null || (!text.includes('\0') && Buffer.from(text).toString() === text));
const table = fc
  .integer({ min: 2, max: 5 })
  .chain((width) => fc.array(fc.array(value, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 20 }));

describe('all ways agree', () => {
  it('what is written is read back, in chunks of any size', async () => {
    await fc.assert(
      fc.asyncProperty(table, fc.integer({ min: 1, max: 40 }), async (written, size) => {
        const text = written.map(formatRow).join('');
        expect((await rows(text, undefined, size)).map((row) => row.values)).toEqual(written);
      }),
    );
  });

  it('csv-parse reads the same', () => {
    fc.assert(
      fc.property(table, (written) => {
        const read = parse(written.map(formatRow).join(''), {
          delimiter: ';',
          record_delimiter: '\n',
          cast: (text, { quoting }) => (text === '' && !quoting ? null : text),
        });
        expect(read).toEqual(written);
      }),
    );
  });

  it('the fast way passes on the same records with their line numbers', async () => {
    await fc.assert(
      fc.asyncProperty(table, fc.integer({ min: 1, max: 40 }), async (written, size) => {
        const bytes = Buffer.from(written.map(formatRow).join(''));
        const { stream, counts } = numberRecords({});
        const out: Buffer[] = [];
        for await (const part of chunked(bytes, size).pipe(stream)) out.push(part as Buffer);
        const exact = await rows(bytes);
        const fast = await rows(Buffer.concat(out));
        expect(fast.map((row) => row.values)).toEqual(exact.map((row) => [String(row.line), ...row.values]));
        expect(counts.records).toBe(written.length);
      }),
    );
  });

  it('decodes one record', () => {
    expect(decodeRecord(Buffer.from('x;"";;"a""b"'))).toEqual(['x', '', null, 'a"b']);
  });
});
