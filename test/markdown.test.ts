import * as fc from 'fast-check';
import ts from 'typescript-5.9';
import { describe, expect, test } from 'vitest';

import { docComment } from '../generator/src/emit/code.js';
import { escapeTags, toMarkdown } from '../generator/src/emit/markdown.js';

const definitions = new Map([
  ['DiskOptions', 'DiskOptions'],
  ['disk-add', 'Client.diskAdd'],
  ['DISK_GONE', 'DISK_GONE'],
]);

function convert(text: string): string {
  return toMarkdown(text, (name) => definitions.get(name));
}

/** Returns a comment with the converted text. */
function commentOf(text: string): string {
  return String(docComment(escapeTags(convert(text))));
}

/** Joins lines. */
function lines(...text: string[]): string {
  return text.join('\n');
}

type Row = readonly [title: string, given: string, want: string];

describe('inline markup', () => {
  const rows: readonly Row[] = [
    ['plain text', 'Adds a disk.', 'Adds a disk.'],
    ['a literal', 'Pass ``-disk  file=a_b*`` to it.', 'Pass `-disk file=a_b*` to it.'],
    ['a literal with backticks', 'Type ``a`b`` or ```c``.', 'Type ``a`b`` or `` `c ``.'],
    ['a literal that ends in a backslash', 'On ``C:\\`` only.', 'On ` C:\\ ` only.'],
    ['a literal that contains markup', 'The ``@id {x} <y>``.', 'The `@id {x} <y>`.'],
    ['emphasis', 'It *must* be **very** empty.', 'It *must* be **very** empty.'],
    ['emphasis next to punctuation', '(*here*) "**there**".', '(*here*) "**there**".'],
    ['a member in emphasis', 'Only **@id** is *not @size*.', 'Only **`id`** is *not `size`*.'],
    ['a member', '@read-only and (@id), not @size.', '`read-only` and (`id`), not `size`.'],
    ['a definition by @', 'See @DiskOptions and @disk-add.', 'See {@link DiskOptions} and {@link Client.diskAdd}.'],
    [
      'a definition by @, possessive',
      "@DiskOptions' and @disk-add's",
      "{@link DiskOptions}' and {@link Client.diskAdd}'s",
    ],
    ['a member of a definition', '@DiskOptions.size', '{@link DiskOptions}.size'],
    ['not a reference', 'someone@example.org', 'someone\\@example.org'],
    ['a cross reference', 'Then `DISK_GONE` and `disk-add`.', 'Then {@link DISK_GONE} and {@link Client.diskAdd}.'],
    ['a cross reference to an unknown name', 'The `disk-index` lists it.', 'The `disk-index` lists it.'],
    ['a cross reference with a title', '`adding[0] <disk-add>`', '{@link Client.diskAdd | adding[0]}'],
    ['a role', 'A :qapi:event:`DISK_GONE` event', 'A {@link DISK_GONE} event'],
    ['a role without definition', ':manpage:`mount(8)` and :doc:`/disks`', '`mount(8)` and `/disks`'],
    ['a role with a title', 'the :doc:`guide to disks </disks>`', 'the guide to disks'],
    ['a hyperlink', 'the `disk site <https://example.org/a_b>`_', 'the {@link https://example.org/a_b | disk site}'],
    ['an anonymous hyperlink', 'a `site <https://example.org>`__.', 'a {@link https://example.org | site}.'],
    ['a hyperlink with an unsafe target', '`site <https://example.org/}{@x>`_', 'site'],
    ['a hyperlink by name', 'the `disk site`_', 'the disk site'],
    ['an address', 'at https://example.org/a_b/c~d, too.', 'at {@link https://example.org/a_b/c~d}, too.'],
    ['an address in brackets', 'at <https://example.org/>', 'at {@link https://example.org/}'],
    ['not an address', 'begins with "https://".', 'begins with "https://".'],
    [
      'an address that some readers would link',
      'ftp://example.org www.example.org',
      'ftp\\://example.org www\\.example.org',
    ],
    ['a footnote', 'true [1]_ or not [#x]_', 'true [1] or not [#x]'],
    ['a substitution', 'version |release| of on|off|auto', 'version release of on|off|auto'],
    ['backslash escapes', '\\*-disk, a\\ b, \\@id, \\\\', '\\*-disk, ab, \\@id, \\\\'],
    ['a backslash at the end', 'C:\\', 'C:\\\\'],
    [
      'characters of Markdown',
      '<id> {a} x<y>z _a_ a_b a* ~~b~~ &amp; & c',
      '\\<id\\> \\{a\\} x\\<y\\>z \\_a\\_ a_b a\\* \\~\\~b\\~\\~ \\&amp; & c',
    ],
    ['brackets', '[0, 10) [a](b) [a]: b ![c](d) [^1]', '[0, 10) [a\\](b) [a\\]: b ![c\\](d) \\[^1]'],
    [
      'glob patterns are not emphasis',
      'disks "a-*" and "b-*", or * and *',
      'disks "a-\\*" and "b-\\*", or \\* and \\*',
    ],
    ['unbalanced markup', 'a `b and *c and ``d', 'a &#96;b and \\*c and &#96;&#96;d'],
    ['adjacent code', '`a`@b', '`a` `b`'],
  ];
  test.each(rows)('%s', (_title, given, want) => {
    expect(convert(given)).toBe(want);
  });
});

describe('blocks', () => {
  const rows: readonly Row[] = [
    ['nothing', ' \n\n', ''],
    ['paragraphs', lines('One', 'two.  Three.', '', '', 'Four.'), lines('One two. Three.', '', 'Four.')],
    ['line ends of other systems', 'One\r\ntwo.\r\rThree.', lines('One two.', '', 'Three.')],
    ['bullets', lines('* One', '  more', '* Two'), lines('- One more', '- Two')],
    ['bullets with blank lines', lines('- One', '', '- Two'), lines('- One', '- Two')],
    [
      'bullets that contain blocks',
      lines('- One', '', '  More::', '', '    a', '- Two'),
      lines('- One', '', '  More:', '', '  ```text', '  a', '  ```', '', '- Two'),
    ],
    ['nested bullets', lines('- One', '', '  - Two', '  - Three'), lines('- One', '', '  - Two', '  - Three')],
    ['a dash that only begins a line', lines('Use', '- for stdin.'), 'Use - for stdin.'],
    ['text that begins like an item', lines('- is for', 'stdin.'), '\\- is for stdin.'],
    ['numbers', lines('1. One', '2. Two', '   more'), lines('1. One', '2. Two more')],
    ['numbers in other styles', lines('3) Three', '(4) Four', '#. Five'), lines('3. Three', '4. Four', '3. Five')],
    ['automatic numbers', lines('#. One', '#. Two'), lines('1. One', '2. Two')],
    ['a year that begins a paragraph', lines('1999. That was', 'long ago.'), '1999\\. That was long ago.'],
    ['an indented list', lines('Either:', '', ' 1) One', '', ' 2) Two'), lines('Either:', '', '1. One', '2. Two')],
    [
      'definitions',
      lines('size', '  In *bytes*.', 'a* ``b``', '  Or not.'),
      lines('- **size**: In *bytes*.', '- a\\* `b`: Or not.'),
    ],
    ['a definition that is a list', lines('size', '  - One'), lines('- **size**:', '', '  - One')],
    ['an introduction is not a term', lines('Sizes:', '  - One', '  - Two'), lines('Sizes:', '', '- One', '- Two')],
    ['fields', lines(':size: In bytes', ':type: A name'), lines('- **size**: In bytes', '- **type**: A name')],
    [
      'options',
      lines('-s, --size=N  In bytes', '--help        This'),
      lines('- `-s, --size=N`: In bytes', '- `--help`: This'),
    ],
    ['text that begins like an option', '-disk none.  Or else.', '-disk none. Or else.'],
    [
      'a quotation',
      lines('As the saying goes', '', '  Buy more', '  disks.'),
      lines('As the saying goes', '', '> Buy more disks.'),
    ],
    ['a line block', lines('| One', '|   two', '  three', '| *four*'), lines('One\\', 'two three\\', '*four*')],
    ['an old heading', '== Disks, and ``more``', '**Disks, and `more`**'],
    ['an underlined heading', lines('Disks', '-----', 'Text.'), lines('**Disks**', '', 'Text.')],
    ['an overlined heading', lines('***', ' SSD', '***', '', 'Text.'), lines('**SSD**', '', 'Text.')],
    ['a transition', lines('One', '', '----', '', 'Two'), lines('One', '', 'Two')],
    ['a short underline', lines('Some disks', '--', 'text'), 'Some disks -- text'],
    [
      'a simple table',
      lines('====  ====', 'Size  Okay', '====  ====', '1     no', '', '2     yes', '====  ====', '', 'Text'),
      lines(
        '```text',
        '====  ====',
        'Size  Okay',
        '====  ====',
        '1     no',
        '',
        '2     yes',
        '====  ====',
        '```',
        '',
        'Text',
      ),
    ],
    ['a grid table', lines('+---+', '| a |', '+---+'), lines('```text', '+---+', '| a |', '+---+', '```')],
  ];
  test.each(rows)('%s', (_title, given, want) => {
    expect(convert(given)).toBe(want);
  });
});

describe('literal text', () => {
  const rows: readonly Row[] = [
    [
      'after a paragraph',
      lines('So::', '', '   a_b *', '     c', '', '   d', '', 'Text'),
      lines('So:', '', '```text', 'a_b *', '  c', '', 'd', '```', '', 'Text'),
    ],
    ['after a space', lines('So ::', '', '  a'), lines('So', '', '```text', 'a', '```')],
    ['on its own', lines('::', '', '  a'), lines('```text', 'a', '```')],
    ['without a blank line', lines('So::', '  a'), lines('So:', '', '```text', 'a', '```')],
    ['nothing', 'So::', 'So:'],
    ['JSON', lines('So::', '', '  -> { "a": 1 }'), lines('So:', '', '```json', '-> { "a": 1 }', '```')],
    [
      'with a language',
      lines('.. code-block:: Console', '   :linenos:', '', '   $ ls'),
      lines('```console', '$ ls', '```'),
    ],
    ['in QMP', lines('.. code-block:: QMP', '', '   -> {}'), lines('```json', '-> {}', '```')],
    ['without a language', lines('.. code::', '', '   a'), lines('```text', 'a', '```')],
    ['with a bad language', lines('.. code:: a`b', '', '   c'), lines('```text', 'c', '```')],
    ['with a fence inside', lines('::', '', '  ```'), lines('````text', '```', '````')],
    ['an example', lines('.. qmp-example::', '', '   <- {}'), lines('```json', '<- {}', '```')],
    ['an empty example', '.. qmp-example::', ''],
    [
      'an annotated example',
      lines('.. qmp-example::', '   :annotated:', '', '   Ask::', '', '     -> {}'),
      lines('Ask:', '', '```json', '-> {}', '```'),
    ],
    [
      'bare messages',
      lines('1. Ask', '-> { "a":', '     1 }', '', '<- {}', '', 'Text'),
      lines('1. Ask', '', '```json', '-> { "a":', '     1 }', '', '<- {}', '```', '', 'Text'),
    ],
    [
      'bare messages, indented',
      lines('So', '', '  { "a":', '    1 }'),
      lines('So', '', '```json', '{ "a":', '  1 }', '```'),
    ],
    [
      'bare JSON with a blank line',
      lines('{', '  "a": [', '', '  ]', '}', 'Text'),
      lines('```json', '{', '  "a": [', '', '  ]', '}', 'Text', '```'),
    ],
    ['not a message', lines('from on', '-> off'), 'from on -\\> off'],
    ['a bare command line', lines('Type', '', '  $ ls *'), lines('Type', '', '```text', '$ ls *', '```')],
  ];
  test.each(rows)('%s', (_title, given, want) => {
    expect(convert(given)).toBe(want);
  });
});

describe('explicit markup', () => {
  const rows: readonly Row[] = [
    ['a note', lines('.. note:: Mind', '   @size.', '', 'Text'), lines('> **Note:** Mind `size`.', '', 'Text')],
    [
      'a note of blocks',
      lines('.. warning::', '', '   One', '', '   - two'),
      lines('> **Warning:** One', '>', '> - two'),
    ],
    ['a note with an option', lines('.. tip::', '   :class: x', '', '   One'), '> **Tip:** One'],
    ['see also', '.. seealso:: `disk-add`', '> **See also:** {@link Client.diskAdd}'],
    [
      'a titled admonition',
      lines('.. admonition:: On size', '', '   1. One'),
      lines('> **On size:**', '>', '> 1. One'),
    ],
    ['a version', '.. versionadded:: 2.1  Disks', '> **Added in 2.1:** Disks'],
    ['only a version', '.. deprecated:: 2.1', '> **Deprecated since 2.1:**'],
    [
      'a titled table',
      lines('.. table:: All sizes', '   :widths: auto', '', '   ==  ==', '   1   2', '   ==  =='),
      lines('**All sizes**', '', '```text', '==  ==', '1   2', '==  ==', '```'),
    ],
    ['an unknown directive', lines('.. constructor:: of disks', '', '   Text'), lines('**of disks** Text')],
    ['a comment', lines('One', '', '.. two', '   three', '', 'Four'), lines('One', '', 'Four')],
    ['a target', lines('.. _disks:', '', 'Text'), 'Text'],
    ['a substitution', lines('.. |release| replace:: 2.1', '', 'Text'), 'Text'],
    ['a footnote', lines('.. [1] Mostly', '   true.'), '[1] Mostly true.'],
  ];
  test.each(rows)('%s', (_title, given, want) => {
    expect(convert(given)).toBe(want);
  });
});

describe('lines', () => {
  test('are wrapped at 100 columns, including in lists and quotations', () => {
    const words = 'disk '.repeat(60).trim();
    const converted = convert(lines(words, '', `- ${words}`, '', `.. note:: ${words}`));
    const lengths = converted.split('\n').map((line) => line.length);
    expect(Math.max(...lengths)).toBeLessThanOrEqual(100);
    expect(Math.max(...lengths)).toBeGreaterThan(95);
    expect(converted).toContain('\n> disk');
    expect(converted).toContain('\n  disk');
  });

  test('are not broken inside code and links', () => {
    const before = 'x'.repeat(90);
    expect(convert(`${before} \`\`a b c d e f g\`\``)).toBe(`${before}\n\`a b c d e f g\``);
    expect(convert(`${before} @disk-add`)).toBe(`${before}\n{@link Client.diskAdd}`);
  });

  test.each(['-', '+', '#', '==', '1.', '12)', '|', ':-:'])('do not begin with %s', (word) => {
    const before = 'x'.repeat(99);
    expect(convert(`${before} ${word} b`)).toBe(`${before} ${word}\nb`);
  });
});

describe('escapeTags', () => {
  const rows: readonly Row[] = [
    ['a block tag', '@a b @c\n@d \u200B@e (@f', '\\@a b \\@c\n\\@d \u200B\\@e (@f'],
    ['an inline tag', '{@a} {@linkcode b}', '{\\@a} {\\@linkcode b}'],
    ['a link', '{@link a | b}', '{@link a | b}'],
    ['escaped text', '\\@a', '\\@a'],
  ];
  test.each(rows)('%s', (_title, given, want) => {
    expect(escapeTags(given)).toBe(want);
  });

  test('no text becomes a tag, not even in code', () => {
    const text = lines('``@a {@link b} */``', '', '::', '', '  @a {@link b} */');
    expect(escapeTags(convert(text))).toBe(lines('`@a {\\@link b} */`', '', '```text', '\\@a {\\@link b} */', '```'));
  });
});

describe('with any text', () => {
  const pieces = [
    '`',
    '``',
    '*',
    '**',
    '*/',
    '/*',
    '@',
    '@a',
    '@disk-add',
    '{@link a}',
    '{',
    '}',
    '<b>',
    '[a](b)',
    '\\',
    '|',
    '_',
  ];
  const marks = [
    '::',
    '.. ',
    '.. note::',
    '.. code::',
    '- ',
    '1. ',
    '#. ',
    ':a: ',
    '====',
    '==  ==',
    '+-+',
    '| ',
    '-> {',
    '= ',
  ];
  const spaces = [' ', '  ', '\n', '\n\n', '\n  ', '\t', '\r', '\u0085', '\u200B', '\u2028', '\0'];
  const hostile = fc.array(fc.constantFrom(...pieces, ...marks, ...spaces, 'a', '1', 'https://a.b/'), {
    maxLength: 40,
  });
  const text = fc.oneof(
    hostile.map((parts) => parts.join('')),
    fc.string({ unit: 'binary', maxLength: 200 }),
  );

  test('the output is one comment, without tags and with only our links', () => {
    fc.assert(
      fc.property(text, (given) => {
        const file = ts.createSourceFile('a.ts', `${commentOf(given)}let a;`, ts.ScriptTarget.ES2022, true);
        expect(file.statements).toHaveLength(1);
        const docs = file.statements.flatMap((statement) => ts.getJSDocCommentsAndTags(statement)).filter(ts.isJSDoc);
        expect(docs).toHaveLength(1);
        expect(docs.flatMap(({ tags }) => tags ?? [])).toHaveLength(0);
        const links = docs.flatMap(({ comment: content }) =>
          typeof content === 'object' ? content.filter(ts.isJSDocLink) : [],
        );
        const known = /^\{@link (?:DiskOptions|Client\.diskAdd(?: \| .*)?|DISK_GONE|https:\/\/a\.b\/.*)\}$/u;
        for (const link of links) expect(link.getText()).toMatch(known);
      }),
      { numRuns: 2000 },
    );
  });

  test('plain words are kept', () => {
    const words = fc.array(fc.stringMatching(/^[a-z]{1,12}$/u), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(words, (given) => {
        expect(convert(given.join(' ')).split(/\s/u)).toEqual(given);
      }),
    );
  });

  test.each([
    '`',
    '` ',
    '``a ',
    '*a ',
    '(*(*',
    '@a-',
    '\\',
    ':a-',
    ':a:`',
    '|a ',
    '[a',
    '<https://a',
    '`a <',
    '- ',
    '- a\n',
    'a\n b\n',
    'a::\n',
    '====  ====\n',
    '.. note:: ',
    '-> {\n',
    '*/',
    ' ',
    '\n',
  ])('a megabyte of %j takes linear time', (piece) => {
    const given = piece.repeat(2 ** 20 / piece.length);
    const comment = commentOf(given);
    expect(comment.indexOf('*/')).toBe(comment.length - 3);
  });

  test.each(['- a', 'a', '1. a', '.. note:: a'])('a thousand levels of %j are shown', (line) => {
    const given = Array.from({ length: 1000 }, (_, level) => ' '.repeat(level * 3) + line).join('\n');
    expect(convert(given)).toContain('a');
  });
});
