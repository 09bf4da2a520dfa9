import { describe, expect, it } from 'vitest';
import { type Change, problemsOf, receive, type Values } from './testing/sent-mail.js';

const FIELDS = ['First name', 'City', 'Age', 'Tags', 'Born', 'Seen', 'Newsletter', 'Size (cm)', 'First', 'Or'];
const ANN = ['Ann Marie', 'Kraków', '19', 'a, b', '1990-03-07', '2026-07-01T22:30:00Z', 'no', '170', 'x', 'y'];
const NOBODY = FIELDS.map(() => null);
const LIST: Change = { fields: FIELDS, booleanFields: [6], settings: { timeZone: 'Europe/Berlin' } };

const textOf = async (text: string, values: Values = ANN) =>
  (await receive({ ...LIST, text: `${text}\n` }, values)).text.replace(/\n$/, '');

describe('functions', () => {
  it.each([
    ['{{ First name | default: "friend" }}', 'Ann Marie', 'friend'],
    ['{{ First name | upper }} {{ First name | upcase }}', 'ANN MARIE ANN MARIE', ' '],
    ['{{ City | lower }} {{ City | downcase }}', 'kraków kraków', ' '],
    ['{{ "ANN" | capitalise }} {{ "bob" | capitalize }}', 'Ann Bob', 'Ann Bob'],
    ['{{ City | append: "!" | prepend: "in " }}', 'in Kraków!', 'in !'],
    ['{{ First name | truncate: 6 }}', 'Ann...', ''],
    ['{{ First name | truncate: 4, "" }}', 'Ann ', ''],
    ['{{ First name | replace: "Ann", "Eve" | remove: "Marie" | strip }}', 'Eve', ''],
    ['{{ First name | split: " " | first }}{{ First name | split: " " | last }}', 'AnnMarie', ''],
    ['{{ Tags | split: ", " | join: "+" }} {{ City | size }} {{ City | slice: 0, 3 }}', 'a+b 6 Kra', ' 0 '],
    ['{{ fields["First name"] | upper }}{{ fields["Size (cm)"] }}', 'ANN MARIE170', ''],
    ['{{ Size (cm) | append: " cm" }}', '170 cm', ' cm'],
    ['{{ First }}{{ First | append: "." }}', 'xx.', '.'],
    ['{{ "a\\b" }}{{ \'"\' }}{{ "{" | append: "{" }}', 'a\\b"{{', 'a\\b"{{'],
    ['{{ First name | default: City | default: "nobody" }}', 'Ann Marie', 'nobody'],
  ])('%s', async (template, ofAnn, ofNobody) => {
    expect(await textOf(template)).toBe(ofAnn);
    expect(await textOf(template, NOBODY)).toBe(ofNobody);
  });
});

describe('dates', () => {
  it.each([
    ['1990-03-07', '%d.%m.%Y', '07.03.1990'],
    ['1990-03-07', '%-d/%-m/%y %e', '7/3/90  7'],
    ['1990-03-07', '%A, %B %d (%a %b %j)', 'Wednesday, March 07 (Wed Mar 066)'],
    // In Berlin half past midnight of the next year.
    ['2026-12-31T23:30:00Z', '%d.%m.%Y %H:%M:%S', '01.01.2027 00:30:00'],
    ['2026-07-01 22:30:00.123456+02:00', '%d.%m. %H:%M', '01.07. 22:30'],
    ['2026-01-01 00:15-0530', '%d.%m. %I:%M %p', '01.01. 06:45 AM'],
    // A clock on the wall: nobody knows of which instant.
    ['2026-07-01 22:30', '%d.%m. %H:%M', '01.07. 22:30'],
    ['2026-02-30', '%d', '2026-02-30'],
    ['yesterday', '%d', 'yesterday'],
    ['0007-01-02', '%Y %% %q', '0007 % %q'],
  ])('%s as %s', async (value, format, expected) => {
    expect(await textOf(`{{ Born | date: "${format}" }}`, [null, null, null, null, value])).toBe(expected);
  });

  it('have names in the language that is asked for, or in the mailing’s', async () => {
    expect(await textOf('{{ Born | date: "%d. %B", "de" }}')).toBe('07. März');
    const german = { ...LIST, settings: { locale: 'de' }, text: '{{ Born | date: "%A" }} {{ "1234.5" | number: 2 }}' };
    expect((await receive(german, ANN)).text).toBe('Mittwoch 1.234,50\n');
  });
});

describe('numbers', () => {
  it.each([
    ['1234.5', ': 2', '1,234.50'],
    ['1234,5', ': 2', '1,234.50'],
    ['1234567.5', ': 2, "de"', '1.234.567,50'],
    ['9007199254740993.125', ': 2', '9,007,199,254,740,993.13'],
    ['-0.5', '', '-0.5'],
    ['19', ': 0', '19'],
    ['12 EUR', ': 2', '12 EUR'],
    ['1e3', ': 2', '1e3'],
  ])('%s with number%s', async (value, args, expected) => {
    expect(await textOf(`{{ Age | number${args} }}`, [null, null, value])).toBe(expected);
  });
});

describe('conditions', () => {
  it.each([
    ['City == "Kraków"', true],
    ['City == "kraków"', false],
    ['City != "Kraków"', false],
    ['City <> "Kraków"', false],
    ['City', true],
    ['City == blank', false],
    ['City != empty', true],
    ['City contains "rak"', true],
    ['First name contains "Marie" and City contains "x"', false],
    ['City == "x" or Age == 19', true],
    ['Age > 9', true],
    ['Age > 9.5', true],
    ['Age >= "19"', true],
    ['Age < Size (cm)', true],
    ['Age == "19"', true],
    ['Born < "1990-04"', true],
    // A boolean field says no.
    ['Newsletter', false],
    ['Newsletter == false', true],
    ['Newsletter == "no"', true],
    ['City == "x" or Or == "y"', true],
  ])('%s is %s', async (condition, holds) => {
    const template = `{% if ${condition} %}yes{% else %}no{% endif %}{% unless ${condition} %}no{% else %}yes{% endunless %}`;
    expect(await textOf(template)).toBe(holds ? 'yesyes' : 'nono');
  });

  it.each(['City', 'City contains "a"', 'Age > 1', 'Age < 1', 'Newsletter', 'City == "x"'])(
    'NULL is no: %s',
    async (condition) => {
      expect(await textOf(`{% if ${condition} %}yes{% else %}no{% endif %}`, NOBODY)).toBe('no');
    },
  );

  it('an empty text is no', async () => {
    expect(await textOf('{% if City %}yes{% else %}no{% endif %}', [null, ''])).toBe('no');
  });

  it('have more than one branch', async () => {
    const template = '{% if Age < 18 %}child{% elsif Age < 65 %}adult{% elsif Age %}senior{% else %}?{% endif %}';
    const of = (age: string | null) => textOf(template, [null, null, age]);
    expect(await Promise.all([of('9'), of('19'), of('70'), of(null)])).toEqual(['child', 'adult', 'senior', '?']);
  });

  it('case compares one value with many', async () => {
    const template =
      '{% case City %}\n{% when "Kraków", "Łódź" %}pl{% when "Kiel" or "Köln" %}de{% else %}?{% endcase %}';
    const of = (city: string | null) => textOf(template, [null, city]);
    expect(await Promise.all([of('Kraków'), of('Łódź'), of('Köln'), of('Rome'), of(null)])).toEqual([
      'pl',
      'pl',
      'de',
      '?',
      '?',
    ]);
  });
});

describe('loops, assignments, comments', () => {
  it.each([
    ['{% assign list = Tags | split: ", " %}{% for t in list %}{{ forloop.index }}{{ t }};{% endfor %}', '1a;2b;'],
    [
      '{% for t in Tags | split: ", " reversed %}{{ t | upper }}{% unless forloop.last %},{% endunless %}{% endfor %}',
      'B,A',
    ],
    ['{% for t in Tags | split: ", " limit: 1 %}{{ t }}{% endfor %}', 'a'],
    ['{% for t in "" | split: "," %}x{% else %}none{% endfor %}', 'none'],
    [
      '{% for a in "1,2" | split: "," %}{% for b in "3,4" | split: "," %}{{ a }}{{ b }} {% endfor %}{% endfor %}',
      '13 14 23 24 ',
    ],
    ['{% for First in Tags | split: ", " %}{{ First }}{% endfor %}{{ First }}', 'abx'],
    ['a {%- assign x = City -%} b {{- x -}} c', 'abKrakówc'],
    ['a{% comment %}{{ Nobody }} {% if %}{% endcomment %}b', 'ab'],
    [
      '{% if City %}{% assign x = "in" %}{% endif %}{{ x }}{% if Or == "?" %}{% assign y = "in" %}{% endif %}{{ y }}',
      'in',
    ],
  ])('%s', async (template, expected) => {
    expect(await textOf(template)).toBe(expected);
  });

  it('a loop without a limit ends after 20 rounds, any other after 100, all of a part after 2,000', async () => {
    const many = Array.from({ length: 500 }, (_, i) => i).join(',');
    const count = (loop: string) => textOf(loop, [many]).then((text) => text.length);
    expect(await count('{% for x in First name | split: "," %}x{% endfor %}')).toBe(20);
    expect(await count('{% for x in First name | split: "," limit: 100 %}x{% endfor %}')).toBe(100);
    const loop = (name: string) => `{% for ${name} in First name | split: "," limit: 100 %}`;
    await expect(count(`${loop('a')}${loop('b')}x{% endfor %}{% endfor %}`)).rejects.toThrow('2000 rounds');
  });

  it('a text that doubles in every round comes to an end', async () => {
    const template =
      '{% assign x = "xxxxxxxxxx" %}{% for a in First name | split: "," limit: 100 %}{% assign x = x | append: x %}{% endfor %}';
    await expect(textOf(template, [Array(100).fill('x').join(',')])).rejects.toThrow('limit');
  });

  it('names that a part gives itself are not known in the next', async () => {
    const mail = await receive({ ...LIST, subject: '{% assign x = "a" %}{{ x }}', text: 'b' }, ANN);
    expect(mail.subject).toBe('a');
    expect(problemsOf({ ...LIST, subject: '{% assign x = "a" %}', text: '{{ x }}' })).toHaveLength(1);
    const text = '{% if City == "?" %}{% assign x = "b" %}{% endif %}[{{ x }}]';
    expect((await receive({ ...LIST, subject: '{% assign x = "a" %}{{ x }}', text }, ANN)).text).toBe('[]\n');
  });
});

describe('headers', () => {
  it('take functions and conditions', async () => {
    const mail = await receive(
      {
        ...LIST,
        subject: '{% if City == "Kraków" %}Dzień dobry{% else %}Hello{% endif %}, {{ First name | default: "friend" }}',
        fromName: '{{ City | default: "The" }} Shop',
        replyTo: 'service+{{ Age | default: "0" }}@shop.example',
      },
      ANN,
    );
    expect(mail.subject).toBe('Dzień dobry, Ann Marie');
    expect(mail.from?.name).toBe('Kraków Shop');
    expect(mail.replyTo).toMatchObject([{ address: 'service+19@shop.example' }]);
  });

  it('a reply address that does not come out as one is no mail', async () => {
    for (const value of ['a@b.example, c', 'x>\r\nBcc: a@b.example', null])
      await expect(receive({ ...LIST, replyTo: '{{ City }}' }, [null, value])).rejects.toThrow('reply address');
  });
});

describe('what is not in the language', () => {
  it.each([
    ['{% include "x" %}', '{% include %} is not supported', 'no other files'],
    ['{% render "x" %}', '{% render %}', 'no other files'],
    ['{% layout "x" %}', '{% layout %}', 'no other files'],
    ['{% raw %}', '{% raw %}', '"{{"'],
    ['{% increment x %}', '{% increment %}', 'forloop'],
    ['{% capture x %}', '{% capture %}', 'assign'],
    ['{% nonsense %}', '{% nonsense %}', 'if, elsif'],
    ['{{ City | uper }}', 'no function "uper"', 'upper'],
    ['{{ City | escape }}', 'no function "escape"', 'escaped for where'],
    ['{{ City | raw }}', 'no function "raw"', 'escaped for where'],
    ['{{ City | toString }}', 'no function "toString"', 'Use one of'],
    ['{{ City | append }}', '"append" takes 1', 'TEMPLATES'],
    ['{{ City | date: City }}', 'format of "date" cannot be read', '%d'],
    ['{{ City | date: "%d", "no language" }}', 'format of "date" cannot be read', 'language'],
    ['{{ Age | number: "two" }}', 'format of "number" cannot be read', 'number: 2'],
    ['{{ Age | number: 20 }}', 'format of "number" cannot be read', 'number: 2'],
    ['{{ Frst name | upper }}', 'no field "Frst name"', 'First name'],
    ['{% if Frst name == "x" %}{% endif %}', 'no field "Frst name"', 'First name'],
    ['{% if City == Frst name %}{% endif %}', 'no field "Frst name"', 'First name'],
    ['{{ fields["Nobody"] }}', 'no field "Nobody"', 'Use one of'],
    ['{{ __proto__ }}', 'no field "__proto__"', 'Use one of'],
    ['{{ City.size }}', '".size" is not understood', 'quotation'],
    ['{% if City = "x" %}{% endif %}', '"= "x"" is not understood', 'quotation'],
    ['{% if City == "a" and Age or Tags %}{% endif %}', 'mixes "and" and "or"', 'inside the other'],
    ['{% if %}{% endif %}', 'missing at the end', 'Name a field'],
    ['{{ }}', 'missing at the end', 'Name a field'],
    ['{% if City %}x', '{% if %} is not closed', '{% endif %}'],
    ['{% endif %}', 'outside of {% if %}', 'Open the block'],
    ['{% if City %}{% endfor %}{% endif %}', '{% endfor %} stands outside', 'Close {% if %} first'],
    ['{% if City %}{% else %}{% else %}{% endif %}', 'behind {% else %}', 'last'],
    ['{% else %}', 'stands outside', 'Open'],
    ['{% case City %}x{% when "a" %}{% endcase %}', 'between {% case %} and {% when %}', 'Remove'],
    ['{% case City %}{% endcase %}', 'has no {% when %}', 'Write'],
    ['{% for x in City limit: 101 %}{% endfor %}', 'no number of rounds', '1 to 100'],
    ['{% for x in City limit: Age %}{% endfor %}', 'no number of rounds', '1 to 100'],
    ['{% for City %}{% endfor %}', 'no name for its items', 'for p in'],
    ['{% for fields in City %}{% endfor %}', 'no name of your own', 'another'],
    ['{% assign City %}', 'assignment cannot be read', 'assign name ='],
    ['{% comment %}x', '{% comment %} is not closed', 'endcomment'],
    ['{% for p in City | products | upper %}{% endfor %}', 'cannot stand here', 'in a loop'],
    ['{{ City | products }}', '"products" cannot stand here', 'for p in'],
    ['{{ "x" | content }}', '"content" cannot stand here', 'behind a field'],
  ])('%s', (template, message, remedy) => {
    const [problem, ...others] = problemsOf({ ...LIST, text: `a\n  ${template}` });
    expect(others).toEqual([]);
    expect(problem).toMatchObject({ part: 'text', line: 2, column: expect.any(Number) });
    expect(problem?.message).toContain(message);
    expect(problem?.remedy).toMatch(new RegExp(remedy.replace(/[{}$()+.[\]]/g, '\\$&')));
  });
});
