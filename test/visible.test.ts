/** Text from schemas, file names and servers is escaped, so it cannot move the cursor, hide text, or command a CI. */

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text as textOf } from 'node:stream/consumers';

import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { formatDiagnostic } from '../generator/src/diagnostic.js';
import { formatReport, type Format, type Report } from '../generator/src/diff/report.js';
import { printable, printableJson, printableLines, visible } from '../generator/src/visible.js';
import * as runtime from '../runtime/src/visible.js';
import { repository } from './support/compile.js';
import { pathOf } from './support/paths.js';
import { Peer } from './support/peer.js';

const rows: readonly (readonly [what: string, given: string, want: string])[] = [
  ['ordinary text', "Größe 5 €, 日本 😀 'a'\t\\n", "Größe 5 €, 日本 😀 'a'\t\\n"],
  ['an escape sequence', 'a\u001B[2Jb', 'a\\u{001b}[2Jb'],
  ['its one-character form', 'a\u009B2Jb', 'a\\u{009b}2Jb'],
  ['line breaks', 'a\nb\rc\u2028d\u2029e\u0085f', 'a\\u{000a}b\\u{000d}c\\u{2028}d\\u{2029}e\\u{0085}f'],
  ['NUL and DEL', '\0\u007F', '\\u{0000}\\u{007f}'],
  ['bidirectional overrides and isolates', 'a\u202Eb\u2066c\u2069', 'a\\u{202e}b\\u{2066}c\\u{2069}'],
  [
    'characters without width',
    'a\u200Bb\u2060c\uFEFFd\u00ADe\u3164',
    'a\\u{200b}b\\u{2060}c\\u{feff}d\\u{00ad}e\\u{3164}',
  ],
  ['hidden tags', 'a\u{E0041}', 'a\\u{e0041}'],
  ['half a character', 'a\uD800b\uDC00', 'a\\u{d800}b\\u{dc00}'],
];
/** Text that CI systems could interpret. */
const commands: typeof rows = [
  ['a workflow command', '::error::a', '\\u{003a}:error::a'],
  ['an indented command', '  ::error::a', '  \\u{003a}:error::a'],
  ['a command anywhere', 'a ##[error]b ##vso[task]c', 'a #\\u{0023}[error]b #\\u{0023}vso[task]c'],
  ['not a command', 'a::b ::c ## [d]', 'a::b ::c ## [d]'],
];

describe('text', () => {
  test.each(rows)('with %s', (_, given, want) => {
    expect(visible(given)).toBe(want);
    expect(printable(given)).toBe(want);
    expect(runtime.visible(given)).toBe(want);
  });

  test.each(commands)('that is %s', (_, given, want) => {
    expect(printable(given)).toBe(want);
    expect(runtime.visible(given)).toBe(want);
  });

  test('of several lines keeps only line feeds', () => {
    expect(printableLines('a\n::error::b\r::c\u2028d\u2029e\n')).toBe(
      'a\n\\u{003a}:error::b\\u{000d}::c\\u{2028}d\\u{2029}e\n',
    );
  });

  test('is escaped equally by the generator and the runtime, and only once', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const shown = printable(text);
        expect(runtime.visible(text)).toBe(shown);
        expect(printable(shown)).toBe(shown);
        expect(shown).not.toMatch(unseen);
      }),
    );
  });

  test('in JSON keeps its value', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' })), (value) => {
        const json = printableJson(value);
        expect(JSON.parse(json)).toEqual(value);
        expect(json).not.toMatch(unseen);
      }),
    );
    expect(JSON.parse(printableJson('\u{E0041}##[error]'))).toBe('\u{E0041}##[error]');
    expect(printableJson({ a: '\u{E0041}##[error]' })).toBe('{\n  "a": "\\udb40\\udc41#\\u0023[error]"\n}');
  });
});

/** Matches invisible characters in text of several lines. */
const unseen = /(?![\n\t])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;
const command = /^\s*::|##\w*\[/mu;

describe('a diagnostic', () => {
  const at = (source: string, character: string): string => {
    const position = { file: 'a.json', line: 1, column: source.indexOf(character) + 1, source };
    return formatDiagnostic({ message: 'no', position, includedFrom: [] });
  };

  test.each([
    { what: 'text', source: '# abc X', want: '  # abc X\n        ^' },
    { what: 'tabs', source: '#\ta\tX', want: '  #\ta\tX\n   \t \t^' },
    { what: 'escape sequences', source: '# \u001B[2J X', want: '  # \\u{001b}[2J X\n                ^' },
    { what: 'wide characters', source: '# 日本😀 X', want: '  # 日本😀 X\n           ^' },
    { what: 'combined characters', source: '# e\u0301 X', want: '  # e\u0301 X\n      ^' },
    { what: 'workflow commands', source: '::error::X', want: '  \\u{003a}:error::X\n                  ^' },
  ])('points after $what', ({ source, want }) => {
    expect(at(source, 'X')).toBe(`a.json:1:${source.indexOf('X') + 1}: error: no\n${want}`);
  });

  test('keeps its parts on separate lines', () => {
    const evil = '::error::\n::error::\u001B[2J##[error]';
    const position = { file: evil, line: 1, column: 1 };
    const text = formatDiagnostic({
      message: evil,
      position: { ...position, source: evil.replaceAll('\n', ' ') },
      definition: { title: evil, position },
      related: { message: evil, position },
      includedFrom: [position],
    });
    expect(text.split('\n')).toHaveLength(6);
    expect(text).not.toMatch(unseen);
    expect(text).not.toMatch(command);
  });
});

describe('a report with hostile names', () => {
  const evil =
    '::error::a\n::error::b\r\u001B[2J\u202E##[error]%0A::error:: @someone #1 http://evil.example www.evil.example `|<img>';
  const place = { file: evil, line: 1, column: 1 };
  const change: Report['changes'][number] = {
    kind: 'changed',
    direction: 'in',
    uses: [
      { kind: 'command', name: evil, path: pathOf('arguments') },
      { kind: 'command', name: evil, path: pathOf('result') },
    ],
    verdict: 'breaking',
    text: `it's ${evil} '${evil}'`,
  } as never;
  const report: Report = {
    old: { kind: 'introspection', title: evil },
    new: { kind: 'server', title: evil },
    changes: [change],
    notes: [evil],
    conditions: { has: [evil], lacks: [], undecided: [], contradicted: [] },
    conditional: [{ condition: evil, parts: [{ kind: 'command', name: evil }] }],
    usedBy: {
      tsconfig: evil,
      touched: new Map([[change, [place]]]),
      needsEdit: [{ ...place, text: evil }],
      passedOn: [{ ...place, subjects: [evil] }],
      unfollowed: [{ ...place, text: evil }],
    },
  };

  test.each<Format>(['text', 'json', 'markdown', 'github'])('as %s', (format) => {
    const text = formatReport(report, format);
    expect(text).not.toMatch(unseen);
    if (format === 'json') expect(JSON.parse(text)).toMatchObject({ notes: [evil], old: { title: evil } });
    if (format !== 'github') expect(text).not.toMatch(command);
    else for (const line of text.trimEnd().split('\n')) expect(line).toMatch(/^::(?:error|notice) [^:\n]*::/u);
  });

  test('has no mentions or links in Markdown', () => {
    const text = formatReport(report, 'markdown');
    const outside = text.replaceAll(/(?<![\\`])(`+)(?!`).*?(?<!`)\1(?!`)/gu, '');
    expect(outside).toContain('someone');
    expect(outside).not.toMatch(/@\w|https?:\/\/|www\.\w|(?<!\\)[|`]|(?<!\\)<(?!!-- -->)|#\d/u);
  });
});

describe('drift', () => {
  const evil = '::error::a\u001B[2J\n::error::b\u202E';
  const info = (name: string): object => ({ name, 'meta-type': 'command', 'arg-type': '0', 'ret-type': '0' });

  test.each([
    { what: 'an error', reply: { fail: evil }, status: 3 },
    {
      what: 'an invalid name',
      reply: [{ name: '0', 'meta-type': 'object', members: [] }, info(evil), info('query-status')],
      status: 3,
    },
  ])('prints $what from a server visibly', { timeout: 30_000 }, async ({ reply, status }) => {
    await using peer = new Peer();
    peer.on('query-qmp-schema', (request) => {
      if (typeof reply === 'object' && 'fail' in reply) request.fail(reply.fail);
      else request.return(reply as never);
    });
    const { path } = await peer.listenUnix();
    for (const format of ['text', 'github']) {
      const args = ['drift', '--connect', `unix:${path}`, '--format', format, '--fail-on', 'never'];
      const child = spawn(process.execPath, [join(repository, 'generator/bin/qapi-ts.js'), ...args]);
      const [stdout, stderr, [code]] = await Promise.all([
        textOf(child.stdout),
        textOf(child.stderr),
        once(child, 'exit') as Promise<[number]>,
      ]);
      expect({ code, stderr }).toMatchObject({ code: status });
      expect(stdout + stderr).toContain('\\u{001b}[2J');
      expect(stdout + stderr).not.toMatch(unseen);
      expect(stderr).not.toMatch(command);
      expect(stdout).not.toMatch(command);
    }
  });
});

describe('the command line', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'qapi-ts-visible-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const evil = '::error::\u001B[2J\n::error::b\r::error::c\u2028::error::d\u2029';

  test.each([
    { what: 'a missing schema', args: ['lint', `${evil}.json`], status: 3 },
    {
      what: 'a schema with errors',
      args: ['lint', 'x.json'],
      text: `{ 'struct': 'A' }\n::error::\u001B[2J`,
      status: 1,
    },
    {
      what: 'a schema with an evil name and errors',
      args: ['lint', `${evil}.json`],
      file: `${evil}.json`,
      text: 'x',
      status: 1,
    },
    {
      what: 'a condition',
      args: ['introspect', 'x.json', '-D', evil],
      text: `{ 'struct': 'A', 'data': {} }`,
      status: 0,
    },
    { what: 'an address', args: ['drift', '--connect', evil], status: 2 },
    {
      what: 'a socket',
      args: ['drift', '--connect', `unix:${evil.replaceAll(/[\n\r\u2028\u2029]/gu, '')}`],
      status: 3,
    },
    { what: 'an introspection', args: ['drift', '--introspection', evil], status: 3 },
    {
      what: 'a file that is not an introspection',
      args: ['drift', '--introspection', 'x.json'],
      text: evil,
      status: 3,
    },
    { what: 'a version', args: ['diff', evil, '10.0'], status: 3 },
    { what: 'an option', args: ['diff', `--${evil}`], status: 2 },
    { what: 'a command', args: [evil], status: 2 },
    { what: 'an argument of an option', args: ['diff', '--format', evil], status: 2 },
    {
      what: 'stale output',
      args: ['check', '--schema', 'x.json', '--out', evil],
      text: `{ 'struct': 'A', 'data': {} }`,
      status: 1,
    },
    { what: 'a program', args: ['diff', '10.0', '10.0', '--used-by', evil], status: 3 },
  ])('prints $what visibly', { timeout: 30_000 }, ({ args, file = 'x.json', text, status }) => {
    if (text !== undefined) writeFileSync(join(folder, file), text);
    const result = spawnSync(process.execPath, [join(repository, 'generator/bin/qapi-ts.js'), ...args], {
      cwd: folder,
      encoding: 'utf8',
    });
    expect({ status: result.status, stderr: result.stderr }).toMatchObject({ status });
    for (const output of [result.stdout, result.stderr]) {
      expect(output).not.toMatch(unseen);
      expect(output).not.toMatch(command);
    }
    expect(result.stderr).toContain(status === 0 || args.includes('x.json') ? '' : 'error');
  });
});
