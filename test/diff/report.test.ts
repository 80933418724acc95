/** The formats of reports, and thresholds. */

import { basename, resolve } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

import { describe, expect, it } from 'vitest';

import type { Change, Use, Verdict } from '../../generator/src/diff/change.js';
import { Path } from '../../generator/src/diff/path.js';
import {
  formatReport,
  isPast,
  notesOnIntrospections,
  thresholds,
  type Format,
  type Report,
  type InputLabel,
  type Threshold,
  type UsedBy,
} from '../../generator/src/diff/report.js';
import { pathOf } from '../support/paths.js';

const embedded = (title: string): InputLabel => ({ title, kind: 'embedded' });
const introspection = (title: string): InputLabel => ({ title, kind: 'introspection' });

function use(name: string, role?: Use['role'], path = Path.whole): Use {
  return { subject: /[A-Z]/u.test(name) ? 'event' : 'command', name, ...(role && { role }), path };
}

function change(verdict: Verdict, text: string, first: Use, ...further: Use[]): Change {
  return { kind: 'member-mandatory', verdict, side: 'callers', text, uses: [first, ...further], place: {} };
}

const added = change('harmless', 'is new', use('query-stats'));
const mandatory = change(
  'breaking',
  "argument 'size' is now mandatory",
  use('blockdev-add', 'arguments', pathOf('file', { driver: 'nbd' }, 'server')),
  ...Array.from({ length: 5 }, (_, index) => use(`command-${index}`, 'arguments')),
);
const deprecated = change(
  'notable',
  "value 'gpio_in' is now deprecated",
  use('query-x', 'result', Path.elements),
  use('EVENT', 'data'),
);

function report(given: Partial<Report>): Report {
  return {
    old: embedded('10.0.13'),
    new: embedded('10.2.2'),
    changes: [added, mandatory, deprecated],
    notes: [],
    ...given,
  };
}

const program: UsedBy = {
  tsconfig: 'tsconfig.json',
  touched: new Map([
    [mandatory, [1, 2, 3, 4, 5, 6, 7, 7].map((line, column) => ({ file: 'src/a.ts', line, column }))],
    [deprecated, [{ file: 'src/b.ts', line: 31, column: 1 }]],
  ]),
  needsEdit: [{ file: 'src/b.ts', line: 2, column: 4, text: "Unused '@ts-expect-error' directive." }],
  passedOn: [{ file: 'src/a.ts', line: 3, column: 1, subjects: ['EVENT', 'query-named-block-nodes'] }],
  unfollowed: [{ file: 'src/c.ts', line: 5, column: 1, text: "the command of 'execute' is not known here" }],
};

/** The extensions of the golden files. */
const extensions: Record<Exclude<Format, 'json'>, string> = { text: 'txt', markdown: 'md', github: 'github.txt' };

describe('formats', () => {
  const reports: { name: string; given: Partial<Report> }[] = [
    { name: 'nothing', given: { changes: [] } },
    { name: 'changes', given: {} },
    { name: 'touching', given: { usedBy: program } },
    {
      name: 'not-touching',
      given: { changes: [added], usedBy: { ...program, needsEdit: [], passedOn: [], unfollowed: [] } },
    },
    {
      name: 'introspection',
      given: { old: introspection('old_qmp.json'), notes: notesOnIntrospections([introspection('old_qmp.json')]) },
    },
    {
      name: 'drift',
      given: {
        new: { title: 'unix:/run/vm1.qmp', kind: 'server' },
        changes: [mandatory],
        notes: ['not compared: widths of integers'],
        conditions: { has: ['CONFIG_A', 'CONFIG_B'], lacks: ['CONFIG_C'], undecided: [], contradicted: ['CONFIG_D'] },
        conditional: [
          {
            condition: 'CONFIG_C || CONFIG_E',
            parts: [
              { kind: 'command', name: 'c' },
              { kind: 'value', name: 'v', use: use('blockdev-add', 'arguments', Path.member('aio')) },
            ],
          },
        ],
      },
    },
  ];
  for (const { name, given } of reports) {
    it.each(Object.entries(extensions))(`${name}, as %s`, async (format, extension) => {
      const text = formatReport(report(given), format as Format);
      await expect(text).toMatchFileSnapshot(`../golden/diff/${name}.${extension}`);
    });
  }

  it('JSON contains everything, worst first', () => {
    const given = report({ usedBy: program, serverVersion: '10.2.1', notes: ['a note'] });
    const parsed: unknown = JSON.parse(formatReport(given, 'json'));
    const counts = { total: 3, breaking: 1, notable: 1, harmless: 1 };
    expect(parsed).toEqual({
      old: embedded('10.0.13'),
      new: embedded('10.2.2'),
      serverVersion: '10.2.1',
      notes: ['a note'],
      counts,
      usedBy: {
        tsconfig: 'tsconfig.json',
        counts: { ...counts, total: 2, harmless: 0 },
        needsEdit: program.needsEdit,
        passedOn: program.passedOn,
        unfollowed: program.unfollowed,
      },
      changes: [
        {
          ...mandatory,
          uses: mandatory.uses.map((one, index) => ({
            ...one,
            path: index === 0 ? '.file(driver=nbd).server' : '',
            text: index === 0 ? 'blockdev-add: arguments.file(driver=nbd).server' : `command-${index - 1}: arguments`,
          })),
          usedBy: [1, 2, 3, 4, 5, 6, 7, 7].map((line, column) => ({ file: 'src/a.ts', line, column })),
        },
        {
          ...deprecated,
          uses: [
            { ...use('query-x', 'result'), path: '[]', text: 'query-x: result[]' },
            { ...use('EVENT', 'data'), path: '', text: 'EVENT: data' },
          ],
          usedBy: program.touched.get(deprecated),
        },
        { ...added, uses: [{ ...use('query-stats'), path: '', text: 'query-stats' }], usedBy: [] },
      ],
    });
  });

  it('colours verdicts if requested', () => {
    const coloured = formatReport(report({}), 'text', { colour: true });
    expect(coloured).toContain('\u001B[1;31mbreaking\u001B[0m\n  \u001B[1mblockdev-add: arg');
    expect(stripVTControlCharacters(coloured)).toBe(formatReport(report({}), 'text'));
  });

  it('shows one more rather than "and 1 more"', () => {
    const uses = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => use(name));
    const also = (count: number): string | undefined => {
      const [first = use('z'), ...further] = uses.slice(0, count);
      const text = formatReport(report({ changes: [change('harmless', 'is new', first, ...further)] }), 'text');
      return /also (.*)/u.exec(text)?.[1];
    };
    expect([1, 2, 4, 5, 6].map(also)).toEqual([undefined, 'b', 'b, c, d', 'b, c, d, e', 'b, c, d and 2 more']);
  });
});

describe('files in annotations are relative to the workspace', () => {
  const cases = [
    { workspace: '.', want: 'src/a.ts' },
    { workspace: '..', want: `${basename(process.cwd())}/src/a.ts` },
    { workspace: 'src', want: 'a.ts' },
  ];
  it.each(cases)('$workspace', ({ workspace, want }) => {
    const text = formatReport(report({ usedBy: program }), 'github', { workspace: resolve(workspace) });
    expect(/file=(.*?),/u.exec(text)?.[1]).toBe(want);
  });
});

describe('hostile names', () => {
  // Saved introspections and paths can contain them.
  const name = 'a\u001B[2J`b``\n::error::c, *d* _e_ <f> 100%';
  const given = report({
    old: introspection(name),
    changes: [
      change('breaking', `argument '${name}' was removed; *not* <b>bold</b>, it's _so_`, use(name, 'arguments')),
    ],
  });

  it('text stays on one line', () => {
    const shown = 'a\\u{001b}[2J`b``\\u{000a}::error::c, *d* _e_ <f> 100%';
    expect(formatReport(given, 'text')).toBe(
      `${shown} -> 10.2.2: 1 change: 1 breaking, 0 notable, 0 harmless\n\nbreaking\n` +
        `  ${shown}: arguments: argument '${shown}' was removed; *not* <b>bold</b>, it's _so_\n`,
    );
  });

  it('Markdown contains only text and code spans', () => {
    const shown = 'a\\u{001b}[2J`b``\\u{000a}::error::c, *d* _e_ <f> 100%';
    expect(formatReport(given, 'markdown')).toBe(
      `## From \`\`\`${shown}\`\`\` to QEMU 10.2.2\n\n1 change: 1 breaking, 0 notable, 0 harmless.\n\n### Breaking\n\n` +
        `- \`\`\`${shown}: arguments\`\`\`: argument \`\`\`${shown}\`\`\` was removed; ` +
        `\\*not\\* \\<b\\>bold\\</b\\>, it's \\_so\\_\n`,
    );
  });

  it.each(['##[error]x.json', '##vso[task.complete]x.json', '::error::x.json'])(
    'an annotation contains no other annotation: %s',
    (evil) => {
      const places = [{ file: evil, line: 1, column: 1 }];
      const changes = [change('breaking', `argument '${evil}' was removed`, use(evil, 'arguments'))];
      const usedBy = {
        tsconfig: evil,
        touched: new Map([[changes[0] as Change, places]]),
        needsEdit: places.map((place) => ({ ...place, text: evil })),
        passedOn: places.map((place) => ({ ...place, subjects: [evil] })),
        unfollowed: places.map((place) => ({ ...place, text: evil })),
      };
      const text = formatReport(report({ old: introspection(evil), changes, usedBy, notes: [evil] }), 'github');
      expect(text).not.toMatch(/##\w*\[/u);
      for (const line of text.trimEnd().split('\n')) expect(line).toMatch(/^::(?:error|notice) [^:\n]*::(?!:)/u);
    },
  );

  it('an annotation stays one annotation', () => {
    const lines = formatReport(given, 'github').split('\n');
    expect(lines).toHaveLength(3);
    const shown = 'a\\u{001b}[2J`b``\\u{000a}::error::c, *d* _e_ <f> 100%25';
    const title = shown.replaceAll(':', '%3A').replaceAll(',', '%2C');
    expect(lines[1]).toBe(
      `::error title=${title} -> 10.2.2%3A breaking::${shown}: arguments: ` +
        `argument '${shown}' was removed; *not* <b>bold</b>, it's _so_`,
    );
  });
});

describe('thresholds', () => {
  const untouched = { ...program, touched: new Map() };
  const cases: { title: string; given: Partial<Report>; past: Threshold[] }[] = [
    { title: 'nothing', given: { changes: [] }, past: [] },
    { title: 'harmless changes', given: { changes: [added] }, past: ['any'] },
    { title: 'notable changes', given: { changes: [deprecated] }, past: ['any'] },
    { title: 'breaking changes', given: { changes: [added, mandatory] }, past: ['breaking', 'any'] },
    { title: 'breaking changes that affect the program', given: { usedBy: program }, past: ['breaking', 'any'] },
    { title: 'breaking changes that do not', given: { usedBy: untouched }, past: [] },
  ];
  it.each(cases)('$title', ({ given, past }) => {
    expect(thresholds.filter((threshold) => isPast(report(given), threshold))).toEqual(past);
  });
});
