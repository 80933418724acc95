import { describe, expect, test } from 'vitest';
import { SchemaError } from '../generator/src/diagnostic.js';
import { toMarkdown } from '../generator/src/emit/markdown.js';
import { dialectOf, lenient } from '../generator/src/frontend/dialect.js';
import type { DocComment } from '../generator/src/frontend/docs/comment.js';
import { parseDocComment } from '../generator/src/frontend/docs/comment.js';
import { toDoc } from '../generator/src/frontend/docs/model.js';
import { Source } from '../generator/src/frontend/source.js';

/** Parses a comment, given as lines without `# `, except for lines that begin with `#`. */
function parse(lines: readonly string[], version: string): DocComment {
  const comment = lines.map((line) => (line.startsWith('#') ? line : `# ${line}`.trimEnd()));
  const source = new Source('kitchen.json', ['##', ...comment, '##', ''].join('\n'));
  let offset = 3;
  const located = comment.map((text) => {
    const line = { text, offset };
    offset += text.length + 1;
    return line;
  });
  return parseDocComment(source, 0, located, version === 'lenient' ? lenient : dialectOf(version));
}

/** Returns sections such as `['member a', text]`. */
function sections(lines: readonly string[], version: string): string[][] {
  return parse(lines, version).sections.map(({ kind, name, text }) => [
    name === undefined ? kind : `${kind} ${name}`,
    text,
  ]);
}

/** Returns `LINE:COLUMN: MESSAGE`, or an empty string if there is no error. The opening `##` is line 1. */
function errorOf(lines: readonly string[], version: string): string {
  try {
    parse(lines, version);
    return '';
  } catch (error) {
    if (!(error instanceof SchemaError)) throw error;
    const [diagnostic] = error.diagnostics;
    return diagnostic
      ? `${diagnostic.position.line}:${diagnostic.position.column}: ${diagnostic.message}`
      : 'no diagnostic';
  }
}

const oldest = ['5.2', '7.2', '8.0'];
const middle = ['8.1', '8.2'];
const old = [...oldest, ...middle];
const newest = ['10.2', '11.0', '11.1'];
const newer = ['9.0', '9.1', '10.0', '10.1', ...newest];
const all = [...old, ...newer, 'lenient'];

describe('sections', () => {
  const table: { title: string; lines: string[]; versions: string[]; want: string[][] }[] = [
    { title: 'empty comment', lines: [], versions: all, want: [] },
    { title: 'blank comment', lines: ['', '  '], versions: all, want: [] },
    {
      title: 'free-form text',
      lines: ['Kettles', '', '  and their lids', 'Note: no section', 'Since: 1.0', '', ''],
      versions: all,
      want: [['plain', 'Kettles\n\n  and their lids\nNote: no section\nSince: 1.0']],
    },
    { title: 'free-form text after a blank line', lines: ['', 'Kettles'], versions: all, want: [['plain', 'Kettles']] },
    { title: 'definition without text', lines: ['@Kettle:', ''], versions: all, want: [] },
    {
      title: 'everything, in the current style',
      lines: [
        '@boil:',
        '',
        'Boil water.',
        '',
        'Slowly.',
        '',
        '@litres: how much',
        '    water',
        '',
        '    or tea',
        '@lid:',
        '    whether the lid is on',
        '',
        'Features:',
        '',
        '@hot: burns',
        '@loud:',
        '',
        '  whistles',
        '',
        'More text.',
        '',
        'And more.',
        '',
        'Returns: steam, like',
        '    this:',
        '',
        '      ~ ~ ~',
        '',
        'Errors:',
        '    - If dry, DryError',
        '',
        'TODO: whistle',
        '',
        'Since: 9.0',
      ],
      versions: [...newer, 'lenient'],
      want: [
        ['plain', 'Boil water.\n\nSlowly.'],
        ['member litres', 'how much\nwater\n\nor tea'],
        ['member lid', 'whether the lid is on'],
        ['feature hot', 'burns'],
        ['feature loud', 'whistles'],
        ['plain', 'More text.\n\nAnd more.'],
        ['returns', 'steam, like\nthis:\n\n  ~ ~ ~'],
        ['errors', '- If dry, DryError'],
        ['todo', 'whistle'],
        ['since', '9.0'],
      ],
    },
    {
      title: 'everything, in the style before 8.1',
      lines: [
        '@boil:',
        'Boil water.',
        '@litres: how much',
        '         water',
        '',
        '           or tea',
        '@lid:',
        'whether the lid is on',
        '  or not',
        '',
        'Features:',
        '@hot: burns',
        '',
        'More text.',
        '',
        '  And more.',
        'Returns: steam',
        'Note: hot',
        '      steam',
        'Notes:',
        '- very hot',
        'Example:',
        '',
        '-> boil',
        '',
        '<- steam',
        'Examples: -> boil',
        'TODO: whistle',
        'Since: 1.0',
      ],
      versions: [...oldest, 'lenient'],
      want: [
        ['plain', 'Boil water.'],
        ['member litres', 'how much\nwater\n\n  or tea'],
        ['member lid', 'whether the lid is on\n  or not'],
        ['feature hot', 'burns'],
        ['plain', 'More text.\n\n  And more.'],
        ['returns', 'steam'],
        ['note', 'hot\nsteam'],
        ['note', '- very hot'],
        ['example', '-> boil\n\n<- steam'],
        ['example', '-> boil'],
        ['todo', 'whistle'],
        ['since', '1.0'],
      ],
    },
    {
      title: 'tags within paragraphs, and any indentation',
      lines: [
        '@boil:',
        'Boil water.',
        '@litres: how much',
        '    water',
        '@lid: on',
        '  or off',
        'Example:',
        '-> boil',
        'Since: 1.0',
      ],
      versions: [...middle, 'lenient'],
      want: [
        ['plain', 'Boil water.'],
        ['member litres', 'how much\nwater'],
        ['member lid', 'on\nor off'],
        ['example', '-> boil'],
        ['since', '1.0'],
      ],
    },
    {
      title: 'tags within paragraphs are text since 9.0',
      lines: ['@boil:', 'Boil water.', '@litres: how much', 'Since: 1.0'],
      versions: newer,
      want: [['plain', 'Boil water.\n@litres: how much\nSince: 1.0']],
    },
    {
      title: 'notes and examples, in the style of 9.0',
      lines: ['@boil:', '', 'Note: hot', '  steam', '', 'Example:', '    -> boil', '    <- steam', '', 'Text'],
      versions: ['9.0', 'lenient'],
      want: [
        ['note', 'hot\nsteam'],
        ['example', '-> boil\n<- steam'],
        ['plain', 'Text'],
      ],
    },
    {
      title: 'an indented introduction',
      lines: ['@boil:', '    Boil water', '    in a kettle.', '', 'Mind the steam.', '', '@lid: on', '', 'Since: 1.0'],
      versions: [...newer, 'lenient'],
      want: [
        ['plain', 'Boil water\nin a kettle.\n\nMind the steam.'],
        ['member lid', 'on'],
        ['since', '1.0'],
      ],
    },
    {
      title: 'an indented introduction after a blank line, with paragraphs and a list, up to the first member',
      lines: ['@boil:', '', '  Boil:', '', '  - water', '    or milk', '', '@lid: on'],
      versions: [...newer, 'lenient'],
      want: [
        ['plain', 'Boil:\n\n- water\n  or milk'],
        ['member lid', 'on'],
      ],
    },
    {
      title: 'less indented text ends an indented introduction',
      lines: ['@boil:', '    Boil', '    water', '  Quoted', 'Text'],
      versions: [...newer, 'lenient'],
      want: [['plain', 'Boil\nwater\n\n  Quoted\nText']],
    },
    {
      title: 'since 9.0, a less indented line ends a section, unless it is the second of the indented lines',
      lines: ['@boil:', '', '@litres: how', '    much', '    water', 'Text'],
      versions: newer,
      want: [
        ['member litres', 'how\nmuch\nwater'],
        ['plain', 'Text'],
      ],
    },
    {
      title: 'before 9.0, Errors is text',
      lines: ['@boil:', 'Errors: many', 'Since: 1.0'],
      versions: old,
      want: [
        ['plain', 'Errors: many'],
        ['since', '1.0'],
      ],
    },
    {
      title: 'double colons are markup',
      lines: ['@boil:', '', 'Example::', '', '    -> boil', '', 'Note:: hot'],
      versions: all,
      want: [['plain', 'Example::\n\n    -> boil\n\nNote:: hot']],
    },
    {
      title: 'before 8.1, a tag needs a space after it',
      lines: ['@boil:', 'Since:1.0', 'Returns:steam'],
      versions: oldest,
      want: [['plain', 'Since:1.0\nReturns:steam']],
    },
    {
      title: 'since 8.1, a tag needs no space after it',
      lines: ['@boil:', '', '@litres:how much', '', 'Since:1.0'],
      versions: [...middle, ...newer, 'lenient'],
      want: [
        ['member litres', 'how much'],
        ['since', '1.0'],
      ],
    },
    {
      title: 'a line with a space before the colon is text',
      lines: ['@boil:', '', '@litres : how much', '', 'Since: 1.0'],
      versions: oldest,
      want: [
        ['plain', '@litres : how much'],
        ['since', '1.0'],
      ],
    },
    {
      title: 'a space before the colon is ignored',
      lines: ['@boil:', '', '@litres : how much', '', 'Since: 1.0'],
      versions: ['lenient'],
      want: [
        ['member litres', 'how much'],
        ['since', '1.0'],
      ],
    },
    {
      title: 'names of several words are text',
      lines: ['@boil:', '@litres of water: text', 'Since: 1.0'],
      versions: [...oldest, 'lenient'],
      want: [
        ['plain', '@litres of water: text'],
        ['since', '1.0'],
      ],
    },
    {
      title: 'before 9.0, text can follow Features',
      lines: ['@boil:', 'Features:', 'none', '', 'Since: 1.0'],
      versions: [...old, 'lenient'],
      want: [
        ['plain', 'none'],
        ['since', '1.0'],
      ],
    },
    {
      title: 'before 9.0, Features in the middle of a description is text',
      lines: ['@boil:', '@litres:', 'Features:', '@lid: on'],
      versions: [...old, 'lenient'],
      want: [
        ['member litres', 'Features:'],
        ['member lid', 'on'],
      ],
    },
    {
      title: 'indented tags are text',
      lines: ['@boil:', 'Boil.', '', ' @litres: how much', ' Since: 1.0'],
      versions: all,
      want: [['plain', 'Boil.\n\n @litres: how much\n Since: 1.0']],
    },
    {
      title: 'indented tags are text in an introduction, too',
      lines: ['@boil:', '', ' @litres: how much', ' Since: 1.0'],
      versions: [...newer, 'lenient'],
      want: [['plain', '@litres: how much\nSince: 1.0']],
    },
    {
      title: 'tabs and non-ASCII text',
      lines: ['@boil:', '', '@litres: Wasser für', '\tKräutertee ☕', '', 'Since: 9.0'],
      versions: [...middle, ...newer, 'lenient'],
      want: [
        ['member litres', 'Wasser für\nKräutertee ☕'],
        ['since', '9.0'],
      ],
    },
    {
      title: 'spaces at the end of lines',
      lines: ['@boil:', '', '# @litres: how much   ', '#   ', '# Since: 1.0  '],
      versions: [...middle, ...newer, 'lenient'],
      want: [
        ['member litres', 'how much'],
        ['since', '1.0'],
      ],
    },
    {
      title: 'a member and a feature with the same name',
      lines: ['@boil:', '', '@hot: is', '', 'Features:', '', '@hot: burns'],
      versions: all,
      want: [
        ['member hot', 'is'],
        ['feature hot', 'burns'],
      ],
    },
    {
      title: 'a section that may occur several times',
      lines: ['@boil:', '', 'TODO: one', '', 'TODO: two'],
      versions: all,
      want: [
        ['todo', 'one'],
        ['todo', 'two'],
      ],
    },
  ];
  const cases = table.flatMap(({ title, lines, versions, want }) =>
    versions.map((version) => ({ title, lines, version, want })),
  );
  test.each(cases)('$title, $version', ({ lines, version, want }) => {
    expect(sections(lines, version)).toEqual(want);
  });

  test('the symbol and the offsets', () => {
    const text = [
      '@boil:',
      '',
      '  Boil water.',
      '',
      '@litres: how much',
      '',
      'Features:',
      '',
      '@hot:',
      '    burns',
      '',
      'Since: 1.0',
    ];
    const comment = parse(text, '10.2');
    const source = ['##', ...text.map((line) => `# ${line}`.trimEnd())].join('\n');
    expect(comment).toMatchObject({ offset: 0, symbol: 'boil' });
    expect(comment.sections.map(({ offset }) => source.slice(offset).split('\n')[0])).toEqual([
      'Boil water.',
      '@litres: how much',
      '@hot:',
      'Since: 1.0',
    ]);
    expect(parse(['Kettles'], '10.2')).toEqual({
      offset: 0,
      sections: [{ kind: 'plain', offset: 5, text: 'Kettles' }],
    });
  });
});

describe('errors', () => {
  const inFreeForm = 'in free-form documentation: a definition is named in the first line of its comment';
  const membersFirst = 'expected descriptions of members before all other sections';
  const heading = `unexpected '=': a heading belongs in free-form documentation`;
  const indented = (indent: number): string =>
    `expected this line to be indented by at least ${indent} spaces, like those above`;
  const table: { lines: string[]; versions: string[]; want: string }[] = [
    { lines: ['@boil:', '#Boil'], versions: all, want: `3:2: expected a space after '#'` },
    { lines: ['#\tKettles'], versions: all, want: `2:2: expected a space after '#'` },
    { lines: ['@boil'], versions: all, want: `2:8: expected ':' at the end of the line that names the definition` },
    {
      lines: ['@boil: water'],
      versions: all,
      want: `2:15: expected ':' at the end of the line that names the definition`,
    },
    { lines: ['@:'], versions: all, want: `2:4: expected a name between '@' and ':'` },
    { lines: ['@boil:', '', '@: water'], versions: all, want: `4:4: expected a name between '@' and ':'` },
    { lines: ['Kettles', '@lid: on'], versions: all, want: `3:3: unexpected '@lid:' ${inFreeForm}` },
    { lines: ['', '@boil:'], versions: all, want: `3:3: unexpected '@boil:' ${inFreeForm}` },
    { lines: ['Kettles', '@lid of it: on'], versions: newer, want: `3:3: unexpected '@lid of it:' ${inFreeForm}` },
    { lines: ['@boil:', '', '@lid: on', '', '@lid: off'], versions: all, want: `6:3: duplicate '@lid:'` },
    {
      lines: ['@boil:', '', 'Features:', '', '@hot: on', '', '@hot: off'],
      versions: all,
      want: `8:3: duplicate '@hot:'`,
    },
    { lines: ['@boil:', '', 'Since: 1.0', '', 'Since: 2.0'], versions: all, want: `6:3: duplicate 'Since:'` },
    { lines: ['@boil:', '', 'Returns: steam', '', 'Returns: tea'], versions: all, want: `6:3: duplicate 'Returns:'` },
    { lines: ['@boil:', '', 'Errors: one', '', 'Errors: two'], versions: newer, want: `6:3: duplicate 'Errors:'` },
    { lines: ['@boil:', '', '@lid:', '', '@litres: 1'], versions: all, want: `4:3: expected text after '@lid:'` },
    { lines: ['@boil:', '', '@lid:', '', 'Since: 1.0'], versions: all, want: `4:3: expected text after '@lid:'` },
    { lines: ['@boil:', '', 'Returns:', '', 'Since: 1.0'], versions: all, want: `4:3: expected text after 'Returns:'` },
    { lines: ['@boil:', '', 'TODO:', ''], versions: all, want: `4:3: expected text after 'TODO:'` },
    { lines: ['@boil:', '', '@lid:', 'on'], versions: newer, want: `4:3: expected text after '@lid:'` },
    { lines: ['@boil:', '', 'Since: 1.0', '', '@lid: on'], versions: all, want: `6:3: ${membersFirst}` },
    { lines: ['@boil:', '', '@lid: on', '', 'Text', '', '@litres: 1'], versions: all, want: `8:3: ${membersFirst}` },
    {
      lines: ['@boil:', '', 'Features:', '', '@hot: burns', '', 'Text', '', '@lid: on'],
      versions: all,
      want: `10:3: ${membersFirst}`,
    },
    {
      lines: ['@boil:', '', 'Features:', '', '@hot: burns', '', 'Text', '', 'Features:', '', '@loud: yes'],
      versions: newer,
      want: `10:3: duplicate 'Features:'`,
    },
    {
      lines: ['@boil:', '', 'Features:', '', 'none'],
      versions: newer,
      want: `4:3: expected '@name:' and a description after 'Features:'`,
    },
    {
      lines: ['@boil:', '', 'Features:'],
      versions: newer,
      want: `4:3: expected '@name:' and a description after 'Features:'`,
    },
    {
      lines: ['@boil:', '', '@lid: on', '    or', '  off'],
      versions: [...middle, ...newer],
      want: `6:5: ${indented(4)}`,
    },
    { lines: ['@boil:', '    Boil', '  water'], versions: ['11.1'], want: `4:5: ${indented(4)}` },
    { lines: ['@boil:', '', '@lid: on', '    or off'], versions: oldest, want: `5:7: ${indented(6)}` },
    {
      lines: ['@boil:', '', 'Returns: steam', '         or tea', '', 'Text'],
      versions: old,
      want: `7:3: ${indented(9)}`,
    },
    { lines: ['@boil:', '', '@lid: on', '#   ', '      or off'], versions: oldest, want: `5:5: ${indented(6)}` },
    {
      lines: ['@boil:', '', '@lid:on'],
      versions: oldest,
      want: `4:3: expected '@name:' at the beginning of a line and a space after it`,
    },
    {
      lines: ['@boil:', '', '@lid of it: on'],
      versions: [...middle, ...newer],
      want: `4:7: unexpected space in '@lid of it:'`,
    },
    { lines: ['@boil:', '', '@lid : on'], versions: [...middle, ...newer], want: `4:7: unexpected space in '@lid :'` },
    { lines: ['@boil:', '', '= Steam'], versions: [...old, '9.0', '10.0'], want: `4:3: ${heading}` },
    { lines: ['@boil:', 'Water', '= Steam'], versions: old, want: `4:3: ${heading}` },
    {
      lines: ['Kettles', '= Steam'],
      versions: ['9.0', '10.0'],
      want: `3:3: unexpected '=': a heading is the first line of its comment`,
    },
    {
      lines: ['@boil:', '', 'Note: hot'],
      versions: ['9.1', '10.0', ...newest],
      want: `4:3: QEMU 9.1 removed the section 'Note:': write '.. note::' instead`,
    },
    {
      lines: ['@boil:', '', 'Examples:', '    -> boil'],
      versions: ['9.1', '10.0', ...newest],
      want: `4:3: QEMU 9.1 removed the section 'Examples:': write '.. qmp-example::' instead`,
    },
    {
      lines: ['@boil:', '', `  ${'x'.repeat(67)}`],
      versions: newest,
      want: '4:71: expected at most 70 characters on a line of documentation',
    },
    {
      lines: [`${'☕'.repeat(60)} ${'x'.repeat(8)}`],
      versions: newest,
      want: '2:71: expected at most 70 characters on a line of documentation',
    },
    {
      lines: [`${'🫖'.repeat(60)} ${'x'.repeat(8)}`],
      versions: newest,
      want: '2:131: expected at most 70 characters on a line of documentation',
    },
    {
      lines: ['@boil:', '', 'Boil.  Then pour. Enjoy.'],
      versions: newest,
      want: '4:20: expected two spaces between sentences',
    },
    {
      lines: ['@boil:', '', '::', '', '  Boil. Pour.', '', 'Drink! (Now.)'],
      versions: newest,
      want: '8:9: expected two spaces between sentences',
    },
    {
      // The first error is reported, although QEMU finds this one last.
      lines: ['@boil:', '', '@lid:', '', 'Since: 1.0', '', 'Since: 1.0'],
      versions: all,
      want: `4:3: expected text after '@lid:'`,
    },
    {
      // The grammar that the comment was written for gets furthest.
      lines: ['@boil:', '@lid: on', '      or off', 'Example:', '-> boil', 'Since: 1.0', 'Since: 2.0'],
      versions: ['lenient'],
      want: `8:3: duplicate 'Since:'`,
    },
  ];
  const cases = table.flatMap(({ lines, versions, want }) => versions.map((version) => ({ lines, version, want })));
  test.each(cases)('$version: $lines', ({ lines, version, want }) => {
    expect(errorOf(lines, version)).toBe(want);
  });
});

describe('what dialects accept', () => {
  const table: { title: string; lines: string[]; versions: string[] }[] = [
    {
      title: 'text indented like the first line',
      lines: ['@boil:', '', '@lid: on', '', '      or off'],
      versions: all,
    },
    {
      title: 'text indented less than the first line',
      lines: ['@boil:', '', '@lid: on', '  or off'],
      versions: [...middle, ...newer, 'lenient'],
    },
    { title: 'text not indented below a tag', lines: ['@boil:', '', '@lid:', 'on'], versions: [...old, 'lenient'] },
    {
      title: 'text not indented below text',
      lines: ['@boil:', '', '@lid: on', 'or off'],
      versions: [...middle, ...newer, 'lenient'],
    },
    {
      title: 'text not indented after a section',
      lines: ['@boil:', '', 'Since: 1.0', '', 'Text'],
      versions: [...middle, ...newer, 'lenient'],
    },
    {
      title: 'an introduction whose second line is indented less',
      lines: ['@boil:', '    Boil', '  water'],
      versions: all.filter((version) => version !== '11.1'),
    },
    { title: 'Note', lines: ['@boil:', '', 'Note: hot'], versions: [...old, '9.0', 'lenient'] },
    { title: 'Example', lines: ['@boil:', '', 'Example: -> boil'], versions: [...old, '9.0', 'lenient'] },
    { title: '= in a definition', lines: ['@boil:', '', '= Steam'], versions: ['10.1', ...newest, 'lenient'] },
    { title: '= in a paragraph', lines: ['@boil:', '', 'Water', '= Steam'], versions: [...newer, 'lenient'] },
    { title: '= in free-form text', lines: ['Kettles', '= Steam'], versions: [...old, '10.1', ...newest, 'lenient'] },
    { title: '= first in free-form text', lines: ['= Steam', 'Kettles'], versions: all },
    { title: 'two Errors', lines: ['@boil:', '', 'Errors: one', '', 'Errors: two'], versions: [...old, 'lenient'] },
    {
      title: 'two Since in a paragraph',
      lines: ['@boil:', 'Text', 'Since: 1.0', 'Since: 1.0'],
      versions: [...newer, 'lenient'],
    },
    {
      title: 'Features twice',
      lines: ['@boil:', 'Features:', '', '@hot: is', 'Features:', '', '@cold: is'],
      versions: [...middle, 'lenient'],
    },
    { title: 'no features', lines: ['@boil:', '', 'Features:'], versions: [...old, 'lenient'] },
    { title: 'a space after the symbol', lines: ['# @boil: '], versions: [...newer, 'lenient'] },
    { title: 'words before a colon', lines: ['Kettles', '@lid of it: on'], versions: [...old, 'lenient'] },
    { title: '70 characters', lines: ['x'.repeat(68)], versions: all },
    { title: '71 characters', lines: ['x'.repeat(69)], versions: all.filter((version) => !newest.includes(version)) },
    { title: '70 characters outside of the basic plane', lines: ['🫖'.repeat(68)], versions: all },
    { title: 'a long address', lines: [`  https://kettles.example/${'x'.repeat(69)}`], versions: all },
    { title: 'a long literal', lines: ['.. qmp-example::', '', `   ${'x'.repeat(69)}`], versions: all },
    {
      title: 'after a literal',
      lines: ['::', '', '  x', ' Hot. Steam.'],
      versions: all.filter((version) => !newest.includes(version)),
    },
    { title: 'one space after e.g. and numbers', lines: ['1. Boil, e.g. Water.  2.0 litres'], versions: all },
    {
      title: 'one space between sentences',
      lines: ['Boil. Pour.'],
      versions: all.filter((version) => !newest.includes(version)),
    },
  ];
  test.each(table)('$title', ({ lines, versions }) => {
    expect(all.filter((version) => errorOf(lines, version) === '')).toEqual(
      all.filter((version) => versions.includes(version)),
    );
  });
});

test('an indented introduction is printed as a paragraph, not as a block quote', () => {
  const comment = parse(['@boil:', '    Boil water.', '', 'Mind the steam.', '', '    Quoted.'], '11.1');
  const { body } = toDoc(comment, { file: '', line: 1, column: 1 });
  expect(toMarkdown(body, () => undefined)).toBe('Boil water.\n\nMind the steam.\n\n> Quoted.');
});

describe('toDoc', () => {
  const position = { file: 'kitchen.json', line: 7, column: 1 };
  const doc = (...lines: string[]): ReturnType<typeof toDoc> =>
    toDoc(parse(['@boil:', '', ...lines], 'lenient'), position);

  test('all sections', () => {
    expect(
      doc(
        'Boil water.',
        '',
        '@litres: how much (since 1.2)',
        '',
        'Note: hot',
        '    steam',
        '',
        '    very hot',
        '',
        'Features:',
        '',
        '@loud: whistles (since 1.3)',
        '',
        'More text.',
        '',
        'Returns: steam',
        '',
        'Errors: If dry, DryError',
        '',
        'TODO: whistle',
        '',
        'Since: 1.1',
        '',
        'Example:',
        '    -> boil',
        '    <- steam',
      ),
    ).toEqual({
      position,
      body: 'Boil water.\n\n.. note::\n\n   hot\n   steam\n\n   very hot\n\nMore text.',
      members: new Map([['litres', { text: 'how much (since 1.2)', since: '1.2' }]]),
      features: new Map([['loud', { text: 'whistles (since 1.3)', since: '1.3' }]]),
      returns: 'steam',
      errors: 'If dry, DryError',
      since: '1.1',
      examples: [{ text: '-> boil\n<- steam' }],
    });
  });

  test('nothing', () => {
    expect(doc()).toEqual({ position, body: '', members: new Map(), features: new Map(), examples: [] });
  });

  const sinceOfDefinition = [
    { lines: ['Since: 2.10'], want: '2.10' },
    { lines: ['Since: 0.14.0'], want: '0.14.0' },
    { lines: ['Since: QEMU 2.10'], want: '2.10' },
    { lines: ['Since: 2.10 (whistle since 3.1)'], want: '2.10' },
    { lines: ['Since: the beginning'], want: undefined },
    { lines: ['Boil water.', '', '@lid: on', '', 'Since 2.10'], want: '2.10' },
    { lines: ['Since 2.10, water is boiled.'], want: undefined },
  ];
  test.each(sinceOfDefinition)('since of the definition: $lines', ({ lines, want }) => {
    expect(doc(...lines).since).toBe(want);
  });

  const sinceOfMember = [
    { text: 'litres (since 2.10)', want: '2.10' },
    { text: 'litres (Since: 2.10).', want: '2.10' },
    { text: 'litres (since 2.10 )', want: '2.10' },
    { text: 'litres (since\n    2.10)', want: '2.10' },
    { text: 'litres (since QEMU 2.10)', want: '2.10' },
    { text: 'litres (default: 1; since: 2.10.1)', want: '2.10.1' },
    { text: 'litres (default 1, since 2.10)', want: '2.10' },
    { text: 'litres (since 2.10; default: 1)', want: '2.10' },
    { text: 'litres (since 2.10, not on gas)', want: '2.10' },
    { text: 'litres (since 2.10).  Water only.', want: '2.10' },
    { text: 'litres (since 2.10)  Tea, too.  (since 2.9)', want: '2.9' },
    { text: 'since 2.10', want: '2.10' },
    { text: 'Since: 2.10.', want: '2.10' },
    { text: 'Since 2.10; water only', want: '2.10' },
    { text: 'litres.  Since 2.10.', want: '2.10' },
    { text: 'litres\n    Since: 2.10', want: '2.10' },
    { text: 'litres.  Since 2.10.\n\n    Water only.', want: '2.10' },
    { text: 'litres', want: undefined },
    { text: 'litres; gallons are allowed since QEMU 2.7', want: undefined },
    { text: 'litres.  Gallons work since 2.7.', want: undefined },
    { text: 'litres.  Since 2.7 gallons work.', want: undefined },
    { text: 'litres (deprecated since 2.7)', want: undefined },
    { text: 'litres (since 2.7 for tea, 2.8 for coffee)', want: undefined },
    { text: 'litres (since 2.7 (tea), 2.8 (coffee))', want: undefined },
    { text: 'litres (since Linux 2.6.11)', want: undefined },
    { text: 'litres since the last 2.5 hours', want: undefined },
  ];
  test.each(sinceOfMember)('since of a member: $text', ({ text, want }) => {
    const [first = '', ...rest] = text.split('\n');
    const lines = rest.map((line) => (line === '' ? '' : `    ${line.trimStart()}`));
    expect(doc(`@litres: ${first}`, ...lines).members.get('litres')?.since).toBe(want);
  });

  const examples: { title: string; lines: string[]; want: object }[] = [
    {
      title: 'in the body',
      lines: ['Text', '', '.. qmp-example::', '', '   -> boil', '', '     more', '   <- steam', '', 'Text'],
      want: { body: 'Text\n\nText', examples: [{ text: '-> boil\n\n  more\n<- steam' }] },
    },
    {
      title: 'with a title',
      lines: ['.. qmp-example::', '   :title: Tea :kbd:`T`', '', '   -> boil', '', 'Text'],
      want: { body: 'Text', examples: [{ title: 'Tea :kbd:`T`', text: '-> boil' }] },
    },
    {
      title: 'annotated, with a two-line title',
      lines: [
        '.. qmp-example::',
        '   :title: Tea',
        '      or not',
        '   :annotated:',
        '',
        '   This boils::',
        '',
        '     -> boil',
      ],
      want: { body: '', examples: [{ title: 'Tea or not', annotated: true, text: 'This boils::\n\n  -> boil' }] },
    },
    {
      title: 'in a member, a feature, Returns, Errors and a note',
      lines: [
        '@lid: on',
        '',
        '    .. qmp-example::',
        '',
        '       -> 1',
        '',
        '    or off',
        '',
        'Features:',
        '',
        '@hot: burns',
        '',
        '    .. qmp-example::',
        '',
        '       -> 2',
        '',
        'Returns: steam',
        '',
        '    .. qmp-example::',
        '',
        '       -> 3',
        '',
        'Errors:',
        '    .. qmp-example::',
        '',
        '       -> 4',
        '',
        'Note: hot',
        '',
        '    .. qmp-example::',
        '',
        '       -> 5',
      ],
      want: {
        body: '.. note::\n\n   hot',
        members: new Map([['lid', { text: 'on\n\nor off' }]]),
        features: new Map([['hot', { text: 'burns' }]]),
        returns: 'steam',
        examples: [{ text: '-> 1' }, { text: '-> 2' }, { text: '-> 3' }, { text: '-> 4' }, { text: '-> 5' }],
      },
    },
    {
      title: 'two in a row, ended by a less indented line',
      lines: ['.. qmp-example::', '', '   -> 1', '', '.. qmp-example::', '', '   -> 2', 'Text'],
      want: { body: 'Text', examples: [{ text: '-> 1' }, { text: '-> 2' }] },
    },
    { title: 'without text', lines: ['.. qmp-example::'], want: { body: '', examples: [{ text: '' }] } },
    {
      title: 'in the old syntax',
      lines: ['Example:', '', '  1. Boil', '', '     -> boil', 'Examples: -> boil', '          <- steam'],
      want: { body: '', examples: [{ text: '1. Boil\n\n   -> boil' }, { text: '-> boil\n<- steam' }] },
    },
    {
      title: 'dropped with their TODO',
      lines: ['TODO: tea', '', '    .. qmp-example::', '', '       -> 1'],
      want: { body: '', examples: [] },
    },
    {
      title: 'other directives are kept',
      lines: ['.. caution:: hot', '   steam', '', '.. code-block::', '', '   boil'],
      want: { body: '.. caution:: hot\n   steam\n\n.. code-block::\n\n   boil', examples: [] },
    },
  ];
  test.each(examples)('examples $title', ({ lines, want }) => {
    expect(doc(...lines)).toMatchObject(want);
  });
});

test('long comments take linear time', () => {
  const lines = [
    '@boil:',
    '',
    ...Array.from({ length: 100_000 }, (_, index) => `@m${index}: (,;${' '.repeat(50)}since`),
    ' '.repeat(100_000),
  ];
  expect(
    toDoc(parse([...lines, `@a${' '.repeat(100_000)}b:`], 'lenient'), { file: '', line: 1, column: 1 }).members.size,
  ).toBe(100_000);
});
