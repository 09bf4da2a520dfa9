import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { addressProblem } from './index.js';

const FILE = new URL('../../../../shared/corpora/addresses/isemail-tests.xml', import.meta.url);

interface Vector {
  id: string;
  address: string;
  category: string;
  diagnosis: string;
}

/** Forms that the vectors call valid, or valid but unusual, and that are refused on purpose: see README.md. */
const REFUSED_ON_PURPOSE: readonly RegExp[] = [
  /^[^@]*@[^.@]*$/, // a domain of one label
  /\.\d+$/, // a numeric top-level domain, or a bare IP address
  /"/, // a quoted local part
  /\[/, // an address literal
  /[()\s]/, // comments and folding white space
];

// Without the folder of corpora the vectors are not there: the project holds none of them.
describe.skipIf(!existsSync(FILE))(
  'the vectors of isemail (shared/corpora/addresses is not there without them)',
  () => {
    const vectors = existsSync(FILE) ? readVectors(readFileSync(FILE, 'utf8')) : [];

    it('holds more than a hundred', () => {
      expect(vectors.length).toBeGreaterThan(100);
    });

    it('lets nothing pass that they call an error', () => {
      const errors = vectors.filter(({ category }) => category === 'ISEMAIL_ERR');
      expect(errors.filter(({ address }) => addressProblem(address) === null)).toEqual([]);
    });

    it('lets nothing pass that is too long, deprecated, or no host name', () => {
      const doubtful = vectors.filter(({ category }) => /^ISEMAIL_(?:DEPREC|RFC5322)$/.test(category));
      expect(doubtful.filter(({ address }) => addressProblem(address) === null)).toEqual([]);
    });

    it('refuses only what is refused on purpose', () => {
      const valid = vectors.filter(({ category }) =>
        /^ISEMAIL_(?:VALID_CATEGORY|DNSWARN|RFC5321|CFWS)$/.test(category),
      );
      const refused = valid.filter(({ address }) => addressProblem(address) !== null);
      expect(refused.filter(({ address }) => !REFUSED_ON_PURPOSE.some((form) => form.test(address)))).toEqual([]);
    });
  },
);

function readVectors(xml: string): Vector[] {
  return [...xml.matchAll(/<test id="(\d+)">([\s\S]*?)<\/test>/g)].map(([, id = '', body = '']) => ({
    id,
    address: decode(/<address>([\s\S]*?)<\/address>/.exec(body)?.[1] ?? ''),
    category: /<category>(\w+)</.exec(body)?.[1] ?? '',
    diagnosis: /<diagnosis>(\w+)</.exec(body)?.[1] ?? '',
  }));
}

/** XML entities; control characters stand in the file as their pictures (U+2400 and on). */
function decode(text: string): string {
  return text
    .replace(/&#x([0-9a-f]+);/gi, (_all, code: string) => String.fromCodePoint(Number.parseInt(code, 16)))
    .replace(/[\u2400-\u241f]/g, (picture) => String.fromCharCode(picture.charCodeAt(0) - 0x2400))
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&');
}
