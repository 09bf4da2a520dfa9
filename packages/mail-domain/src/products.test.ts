import { describe, expect, it } from 'vitest';
import { type ContentRules, NO_DATA, needsOf, type RenderData } from './index.js';
import { type Change, problemsOf, programOf, receive } from './testing/sent-mail.js';

type Rule = ContentRules['missingProduct'];

const PRODUCTS: Record<string, Record<string, string>> = {
  '001': { id: '001', name: 'Felt slippers', 'Image URL': 'https://img.example/1.png', price: '29.9', size: 'M' },
  '002': { id: '002', name: 'Rain jacket', 'Image URL': 'javascript:x', price: '129', size: 'L' },
  '900': { id: '900', name: 'Voucher', 'Image URL': '', price: '10', size: '' },
};
const DATA: RenderData = {
  ...NO_DATA,
  product: (id) => PRODUCTS[id],
  recommendations: (id) => ({ '001': ['003', '002', '001'], '004': ['003'] })[id] ?? [],
};
const COLUMNS = ['id', 'name', 'Image URL', 'price', 'size'];
const LIST: Change = { fields: ['Recommended', 'Anchor'], productColumns: COLUMNS };

/** Way A: the field holds product IDs. Way B: it holds the product that others go with. */
const WAY_A = '{% for p in Recommended | products %}{{ p.name }};{% else %}none{% endfor %}';
const WAY_B = '{% for p in Anchor | recommendations: 2 %}{{ p.name }};{% else %}none{% endfor %}';

async function textOf(text: string, values: (string | null)[], missingProduct: Rule = 'skip_block') {
  const mail = await receive({ ...LIST, text: `${text}\n`, settings: { missingProduct } }, values, { data: DATA });
  return mail.text.slice(0, -1);
}

describe('products that a field names', () => {
  it('stand in the order of the field, with any of their columns', async () => {
    const text =
      '{% for p in Recommended | products %}{{ p.name }} {{ p.PRICE | number: 2 }} {{ p.size }} {{ p["Image URL"] }}\n{% endfor %}';
    expect(await textOf(text, ['002, 001 ,002'])).toBe(
      'Rain jacket 129.00 L javascript:x\nFelt slippers 29.90 M https://img.example/1.png\n',
    );
  });

  it('give pictures and links that are safe', async () => {
    const html = '{% for p in Recommended | products %}<img src="{{ p["Image URL"] }}" alt="{{ p.name }}">{% endfor %}';
    const mail = await receive({ ...LIST, html }, ['001,002'], { data: DATA });
    expect(mail.html).toContain(
      '<img src="https://img.example/1.png" alt="Felt slippers"><img src="#" alt="Rain jacket">',
    );
  });
});

describe('a product that is not there', () => {
  it.each<[Rule, string, string | null, string | Error]>([
    ['skip_block', WAY_A, '001,777', 'Felt slippers;'],
    ['skip_block', WAY_A, '777', 'none'],
    ['skip_block', WAY_A, null, 'none'],
    [{ default: '900' }, WAY_A, '777,001,778', 'Voucher;Felt slippers;'],
    [{ default: '900' }, WAY_A, '001,777', 'Felt slippers;Voucher;'],
    [{ default: '900' }, WAY_A, '', 'Voucher;'],
    [{ default: '001' }, WAY_A, '001,777', 'Felt slippers;'],
    [{ default: '999' }, WAY_A, '777', 'none'],
    ['do_not_send', WAY_A, '001,002', 'Felt slippers;Rain jacket;'],
    ['do_not_send', WAY_A, '001,777', new Error('no product data for "777"')],
    ['do_not_send', WAY_A, null, new Error('names no product')],
  ])('by rule %j: %s of %j', async (rule, template, ids, expected) => {
    const text = textOf(template, [ids], rule);
    if (expected instanceof Error) await expect(text).rejects.toThrow(expected.message);
    else expect(await text).toBe(expected);
  });

  it.each<[Rule, string, string | Error]>([
    ['skip_block', '001', 'Rain jacket;Felt slippers;'],
    ['skip_block', '004', 'none'],
    ['do_not_send', '001', 'Rain jacket;Felt slippers;'],
    ['do_not_send', '004', new Error('no product data for "003"')],
    ['do_not_send', '005', new Error('no product data for "005"')],
    [{ default: '900' }, '001', 'Rain jacket;Felt slippers;'],
    [{ default: '900' }, '005', 'Voucher;'],
  ])('recommendations by rule %j for %s', async (rule, anchor, expected) => {
    const text = textOf(WAY_B, [null, anchor], rule);
    if (expected instanceof Error) await expect(text).rejects.toThrow(expected.message);
    else expect(await text).toBe(expected);
  });

  it('stops nothing in a block that the mail does not have', async () => {
    expect(await textOf(`{% if Recommended %}${WAY_A}{% endif %}ok`, [null], 'do_not_send')).toBe('ok');
  });
});

describe('before the first mail', () => {
  it('an unknown column is an error, unless nobody knows the columns', () => {
    const text = '{% for p in Recommended | products %}{{ p.nam }}{% endfor %}';
    expect(problemsOf({ ...LIST, text })).toMatchObject([
      { message: 'The product data has no column "nam".', remedy: 'Did you mean name?' },
    ]);
    expect(problemsOf({ ...LIST, text, productColumns: null })).toEqual([]);
  });

  it.each([
    ['{% for p in Recommended | products %}{{ p }}{% endfor %}', 'alone is no value'],
    ['{% for p in Recommended | append: "1" | products %}{% endfor %}', 'do not come straight from a field'],
    ['{% for p in Recommended | products: 3 %}{% endfor %}', 'takes no values'],
    ['{% for p in Anchor | recommendations: 0 %}{% endfor %}', 'no number of rounds'],
    ['{% for p in Recommended | products %}{% endfor %}{{ p.name }}', 'no field "p.name"'],
  ])('%s is refused', (text, message) => {
    expect(problemsOf({ ...LIST, text })[0]?.message).toContain(message);
  });

  it('the program says what a recipient’s mail will ask for', () => {
    const program = programOf({
      ...LIST,
      subject: WAY_A,
      text: `${WAY_A}${WAY_B}{% for p in "555" | recommendations %}{% endfor %}`,
      settings: { missingProduct: { default: '900' } },
    });
    expect(program.needs).toEqual({ products: [{ field: 0 }], anchors: [{ field: 1 }, { text: '555' }], content: [] });
    expect(needsOf(program, [' 001,,002, 001', '004'])).toEqual({
      products: ['001', '002', '900'],
      anchors: ['004', '555'],
      content: [],
    });
    expect(needsOf(programOf(LIST), ['001', '004'])).toEqual({ products: [], anchors: [], content: [] });
  });
});
