/** Formats the result of a comparison: as text, as JSON, as Markdown for changelogs, and as annotations for GitHub. */

import { amount } from '../amount.js';
import { optional } from '../optional.js';
import { relativePath } from '../paths.js';
import { printable, printableJson } from '../visible.js';
import { groupByBranch } from './branch-values.js';
import { formatUse, verdicts, type Change, type Use, type Verdict } from './change.js';
import type { Conditions } from './conditions.js';

export const formats = ['text', 'json', 'markdown', 'github'] as const;
export type Format = (typeof formats)[number];

export const thresholds = ['breaking', 'any', 'never'] as const;
export type Threshold = (typeof thresholds)[number];

/** The name and kind of what is compared. */
export interface InputLabel {
  readonly title: string;
  readonly kind: 'embedded' | 'cached' | 'schema' | 'introspection' | 'server';
}

/** A location in the source code of a program. */
export interface CodeLocation {
  /** The path, relative to the current directory. */
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  /** Counted from 1, in UTF-16 code units. */
  readonly column: number;
}

/** The effects of changes on a program. */
export interface UsedBy {
  /** The path of the program's `tsconfig.json`. */
  readonly tsconfig: string;
  /** Where each change affects the program. Changes that do not affect it are omitted. */
  readonly touched: ReadonlyMap<Change, readonly CodeLocation[]>;
  /** Errors that only the new types cause, and that no breaking change explains, with the compiler's message. */
  readonly needsEdit: readonly (CodeLocation & { readonly text: string })[];
  /** Where values are passed to or from untyped code, with the commands and events whose changes may matter there. */
  readonly passedOn: readonly (CodeLocation & { readonly subjects: readonly string[] })[];
  /** Uses of commands and events that cannot be analyzed, with the reason. */
  readonly unfollowed: readonly (CodeLocation & { readonly text: string })[];
}

/** What a server lacks because of one condition. */
export interface Conditional {
  /** An expression such as `CONFIG_LINUX && !CONFIG_X`. */
  readonly condition: string;
  readonly parts: readonly LackingPart[];
}

export interface LackingPart {
  readonly kind: 'command' | 'event' | 'member' | 'value' | 'branch' | 'alternative' | 'feature';
  readonly name: string;
  /** The use of what would contain the part. Absent for a command or event. */
  readonly use?: Use;
}

/** The result of a comparison. */
export interface Report {
  readonly old: InputLabel;
  readonly new: InputLabel;
  readonly changes: readonly Change[];
  /** Remarks, such as what was not compared: sentences without their periods. */
  readonly notes: readonly string[];
  readonly usedBy?: UsedBy;
  readonly serverVersion?: string;
  readonly conditions?: Conditions;
  readonly conditional?: readonly Conditional[];
}

/** The maximum number of items to show. A type may be used in forty places. */
const maxUses = 3;
const maxLocations = 5;
const maxParts = 5;

interface FormatOptions {
  /** Whether to colour text. */
  readonly colour?: boolean;
  /** The directory that files in annotations are relative to. Defaults to the current one. */
  readonly workspace?: string;
}

/** Returns the report as lines, each with a newline. */
export function formatReport(report: Report, format: Format, { colour, workspace }: FormatOptions = {}): string {
  switch (format) {
    case 'text':
      return formatText(report, colour ?? false);
    case 'json':
      return `${printableJson(toJson(report))}\n`;
    case 'markdown':
      return formatMarkdown(report);
    case 'github':
      return formatGitHub(report, workspace ?? '.');
  }
}

/** Returns whether a report fails the threshold. With `usedBy`, only changes that affect the program count. */
export function isPast(report: Report, threshold: Threshold): boolean {
  const changes = relevantChanges(report);
  if (threshold === 'any') return changes.length > 0;
  return threshold === 'breaking' && changes.some(({ verdict }) => verdict === 'breaking');
}

/** Returns notes on what introspections do not contain, if there are any among the inputs. */
export function notesOnIntrospections(inputs: readonly InputLabel[]): string[] {
  const titles = inputs
    .filter(({ kind }) => kind === 'introspection' || kind === 'server')
    .map(({ title }) => `'${title}'`);
  if (titles.length === 0) return [];
  const are = titles.length === 1 ? 'is an introspection' : 'are introspections';
  return [
    `not compared, because ${titles.join(' and ')} ${are}: integer widths, conditions, and whether a command ` +
      'takes arguments that are not in the schema, sends a reply, or is allowed with -preconfig',
    "parts that are excluded from a server's build are reported as changes; 'qapi-ts drift' lists them separately",
  ];
}

/** Returns all changes or, with `usedBy`, those that affect the program; worst first. */
function relevantChanges({ changes, usedBy }: Report): Change[] {
  return worstFirst(usedBy ? changes.filter((change) => usedBy.touched.has(change)) : changes);
}

function worstFirst(changes: readonly Change[]): Change[] {
  return verdicts.flatMap((verdict) => ofVerdict(changes, verdict));
}

function ofVerdict(changes: readonly Change[], verdict: Verdict): Change[] {
  return changes.filter((change) => change.verdict === verdict);
}

type Counts = Readonly<Record<Verdict | 'total', number>>;

function countsOf(changes: readonly Change[]): Counts {
  const count = (verdict: Verdict): number => ofVerdict(changes, verdict).length;
  return {
    total: changes.length,
    breaking: count('breaking'),
    notable: count('notable'),
    harmless: count('harmless'),
  };
}

/** Returns text such as `42 changes: 3 breaking, 7 notable, 32 harmless`. */
function formatCounts(changes: readonly Change[]): string {
  if (changes.length === 0) return 'no changes';
  const counts = countsOf(changes);
  return `${amount(changes.length, 'change')}: ${verdicts.map((verdict) => `${counts[verdict]} ${verdict}`).join(', ')}`;
}

function formatTitle(report: Report): string {
  return `${report.old.title} -> ${report.new.title}`;
}

/** Returns the lines that follow the counts. */
function remarks(report: Report): string[] {
  const { usedBy, notes } = report;
  if (!usedBy) return [...notes];
  const lists = (['needsEdit', 'passedOn', 'unfollowed'] as const).flatMap((key) => {
    const { length } = usedBy[key];
    return length > 0 ? [`${listTitles[key]}: ${amount(length, 'place')}`] : [];
  });
  return [`affecting '${usedBy.tsconfig}': ${formatCounts(relevantChanges(report))}`, ...lists, ...notes];
}

/** Returns text such as `a, b, c and 4 more`. */
function enumerate(texts: readonly string[], limit: number): string {
  // "and 1 more" would be no shorter than the item itself.
  if (texts.length <= limit + 1) return texts.join(', ');
  return `${texts.slice(0, limit).join(', ')} and ${texts.length - limit} more`;
}

/** Returns the uses of a change as text. Branches of one union are joined. */
function usesOf({ uses }: Change): string[] {
  return groupByBranch(uses, (use) => use).map(({ text }) => text);
}

function formatLocation({ file, line }: CodeLocation): string {
  return `${file}:${line}`;
}

/** Returns where a change affects the program, with one location for each line of code. */
function locationsOf(change: Change, usedBy: UsedBy | undefined): CodeLocation[] {
  const locations = usedBy?.touched.get(change) ?? [];
  return [...new Map(locations.map((location) => [formatLocation(location), location])).values()];
}

/** Returns text such as `value 'io_uring' of 'blockdev-add: arguments.aio'`. */
function formatPart({ kind, name, use }: LackingPart): string {
  return `${kind} '${name}'${use ? ` of '${formatUse(use)}'` : ''}`;
}

/** The titles of the lists that never count towards a threshold. */
const listTitles = {
  needsEdit: 'needs an edit',
  passedOn: 'passed to or from untyped code',
  unfollowed: 'not analyzed',
} as const;

const conditionTitles: readonly (readonly [keyof Conditions, string])[] = [
  ['has', 'met'],
  ['lacks', 'not met'],
  ['undecided', 'undecided'],
  ['contradicted', 'contradictory'],
];

/** Returns lines such as `met: CONFIG_A, CONFIG_B`. */
function formatConditions({ conditions }: Report, name: (text: string) => string): string[] {
  return conditionTitles.flatMap(([key, title]) => {
    const names = conditions?.[key] ?? [];
    return names.length > 0 ? [`${title}: ${names.map(name).join(', ')}`] : [];
  });
}

/** Formats the parts of an entry. */
interface Style {
  /** The beginning of an entry: a use, a location or a condition. */
  readonly where: (text: string) => string;
  /** Other names, uses and locations. */
  readonly name: (text: string) => string;
  /** Sentences with names in single quotes. */
  readonly prose: (text: string) => string;
  /** Further uses, after the sentence. */
  readonly also: (uses: string) => string;
  /** Locations, after the uses. */
  readonly at: (locations: string) => string;
}

interface Section {
  readonly title: string;
  readonly verdict?: Verdict;
  readonly entries: readonly string[];
}

/** Returns the sections, without empty ones. */
function sections(report: Report, style: Style): Section[] {
  const { usedBy, conditional = [] } = report;
  const { where, name, prose } = style;
  const changes = relevantChanges(report);
  const all: Section[] = verdicts.map((verdict) => ({
    title: verdict,
    verdict,
    entries: ofVerdict(changes, verdict).map((change) => {
      const [first = '', ...further] = usesOf(change);
      const locations = locationsOf(change, usedBy).map((location) => name(formatLocation(location)));
      const also = further.length > 0 ? style.also(enumerate(further.map(name), maxUses)) : '';
      const at = locations.length > 0 ? style.at(enumerate(locations, maxLocations)) : '';
      return `${where(first)}: ${prose(change.text)}${also}${at}`;
    }),
  }));
  const excluded = conditional.map(({ condition, parts }) => {
    const texts = parts.map((part) => prose(formatPart(part)));
    return `${where(condition)}: ${enumerate(texts, maxParts)}`;
  });
  const explained = (locations: readonly (CodeLocation & { readonly text: string })[] = []): string[] =>
    locations.map((location) => `${where(formatLocation(location))}: ${prose(location.text)}`);
  const passedOn = (usedBy?.passedOn ?? []).map(
    (location) => `${where(formatLocation(location))}: ${location.subjects.map(name).join(', ')}`,
  );
  all.push(
    { title: 'build conditions', entries: formatConditions(report, name) },
    { title: 'excluded by build conditions', entries: excluded },
    { title: listTitles.needsEdit, entries: explained(usedBy?.needsEdit) },
    { title: listTitles.passedOn, entries: passedOn },
    { title: listTitles.unfollowed, entries: explained(usedBy?.unfollowed) },
  );
  return all.filter(({ entries }) => entries.length > 0);
}

function formatText(report: Report, colour: boolean): string {
  const bold = '1';
  const colours: Record<Verdict, string> = { breaking: '1;31', notable: '1;33', harmless: '1;32' };
  const paint = (sequence: string, text: string): string => (colour ? `\u001B[${sequence}m${text}\u001B[0m` : text);
  const style: Style = {
    where: (text) => paint(bold, printable(text)),
    name: printable,
    prose: printable,
    also: (uses) => `\n    also ${uses}`,
    at: (locations) => `\n    in ${locations}`,
  };
  const counts = `${formatTitle(report)}: ${formatCounts(report.changes)}`;
  const blocks = [
    [paint(bold, printable(counts)), ...remarks(report).map(printable)],
    ...sections(report, style).map(({ title, verdict, entries }) => [
      paint(verdict ? colours[verdict] : bold, title),
      ...entries.map((entry) => `  ${entry}`),
    ]),
  ];
  return `${blocks.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

/** The output of `--format json`, which the README documents. */
export interface JsonReport {
  readonly old: InputLabel;
  readonly new: InputLabel;
  readonly notes: readonly string[];
  /** The numbers of all changes, whether they affect the program or not. */
  readonly counts: Counts;
  /** All changes, worst first. */
  readonly changes: readonly JsonChange[];
  /** Present only with `--used-by`. */
  readonly usedBy?: {
    readonly tsconfig: string;
    /** The numbers of changes that affect the program. */
    readonly counts: Counts;
  } & Pick<UsedBy, 'needsEdit' | 'passedOn' | 'unfollowed'>;
  /** Present only for a drift, if known. */
  readonly serverVersion?: string;
  /** Present only for a drift. */
  readonly conditions?: Conditions;
  /** Present only for a drift. */
  readonly conditional?: readonly JsonConditional[];
}

interface JsonChange extends Omit<Change, 'uses'> {
  readonly uses: readonly (JsonUse & { readonly text: string })[];
  /** Where the change affects the program. Present only with `--used-by`. */
  readonly usedBy?: readonly CodeLocation[];
}

interface JsonUse extends Omit<Use, 'path'> {
  readonly path: string;
}

interface JsonConditional extends Omit<Conditional, 'parts'> {
  readonly parts: readonly (Omit<LackingPart, 'use'> & { readonly use?: JsonUse })[];
}

function toJsonUse(use: Use): JsonUse {
  return { ...use, path: use.path.text };
}

function toJsonConditional({ condition, parts }: Conditional): JsonConditional {
  return {
    condition,
    parts: parts.map(({ use, ...part }) => ({ ...part, ...optional('use', use && toJsonUse(use)) })),
  };
}

function toJson(report: Report): JsonReport {
  const { notes, changes, usedBy } = report;
  const label = ({ title, kind }: InputLabel): InputLabel => ({ title, kind });
  const used = (program: UsedBy): JsonReport['usedBy'] => {
    const { tsconfig, needsEdit, passedOn, unfollowed } = program;
    return { tsconfig, counts: countsOf(relevantChanges(report)), needsEdit, passedOn, unfollowed };
  };
  return {
    old: label(report.old),
    new: label(report.new),
    ...optional('serverVersion', report.serverVersion),
    notes,
    counts: countsOf(changes),
    ...optional('usedBy', usedBy && used(usedBy)),
    changes: worstFirst(changes).map((change) => ({
      ...change,
      uses: change.uses.map((use) => ({ ...toJsonUse(use), text: formatUse(use) })),
      ...(usedBy && { usedBy: usedBy.touched.get(change) ?? [] }),
    })),
    ...optional('conditions', report.conditions),
    ...optional('conditional', report.conditional?.map(toJsonConditional)),
  };
}

/** Returns a section for a changelog. */
function formatMarkdown(report: Report): string {
  const name = ({ title, kind }: InputLabel): string =>
    kind === 'embedded' || kind === 'cached' ? `QEMU ${title}` : codeSpan(title);
  const style: Style = {
    where: codeSpan,
    name: codeSpan,
    prose: codeNames,
    also: (uses) => `; also ${uses}`,
    at: (locations) => `; in ${locations}`,
  };
  const blocks = [
    `## From ${name(report.old)} to ${name(report.new)}`,
    [formatCounts(report.changes), ...remarks(report)].map((line) => `${codeNames(capital(line))}.`).join('\n'),
    ...sections(report, style).flatMap(({ title, entries }) => [
      `### ${capital(title)}`,
      entries.map((entry) => `- ${entry}`).join('\n'),
    ]),
  ];
  return `${blocks.join('\n\n')}\n`;
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

/** Returns a code span. Its fence is longer than any run of backticks in the text. */
function codeSpan(text: string): string {
  const clean = printable(text);
  const runs = [...clean.matchAll(/`+/gu)].map(([run]) => run.length);
  const fence = '`'.repeat(Math.max(0, ...runs) + 1);
  const pad = /^`|`$/u.test(clean) ? ' ' : '';
  return `${fence}${pad}${clean}${pad}${fence}`;
}

/** Returns a sentence with names in single quotes as code spans, and everything else escaped. */
function codeNames(text: string): string {
  return text
    .split(/(?<![\p{L}\p{N}])'([^']+)'(?![\p{L}\p{N}])/u)
    .map((part, index) => (index % 2 === 1 ? codeSpan(part) : plain(part)))
    .join('');
}

/** Escapes markup. GitHub links even escaped mentions, issue numbers and addresses, so comments break these up. */
function plain(text: string): string {
  return printable(text)
    .replaceAll(/[\\`*_[\]<>#|~&]/gu, '\\$&')
    .replaceAll(/@|#(?=\d)|:(?=\/\/)|(?<=www)\./giu, '$&<!-- -->');
}

/**
 * Returns workflow commands of GitHub Actions, which shows at most ten annotations of each level for a step. Harmless
 * changes are only counted, so that they do not displace others.
 */
function formatGitHub(report: Report, workspace: string): string {
  const { usedBy } = report;
  const file = (location: CodeLocation): string => printable(relativePath(workspace, location.file));
  const title = printable(formatTitle(report));
  const conditions = formatConditions(report, (name) => name);
  const summary = [formatCounts(report.changes), ...remarks(report), ...conditions].map(printable).join('\n');
  const lines = [annotation('notice', { title }, summary)];
  for (const change of relevantChanges(report)) {
    const { verdict, text } = change;
    if (verdict === 'harmless') continue;
    const [first, ...further] = usesOf(change);
    const also = further.length > 0 ? [`also ${enumerate(further, maxUses)}`] : [];
    const message = [`${first}: ${text}`, ...also].map(printable).join('\n');
    const level = verdict === 'breaking' ? 'error' : 'warning';
    const properties = { title: `${title}: ${verdict}` };
    if (!usedBy) lines.push(annotation(level, properties, message));
    for (const location of locationsOf(change, usedBy)) {
      lines.push(annotation(level, { file: file(location), line: location.line, ...properties }, message));
    }
  }
  const notices = (
    list: keyof typeof listTitles,
    locations: readonly (CodeLocation & { readonly text: string })[] = [],
  ): string[] =>
    locations.map((location) => {
      const properties = { file: file(location), line: location.line, title: `${title}: ${listTitles[list]}` };
      return annotation('notice', properties, printable(location.text));
    });
  const passedOn = usedBy?.passedOn.map((location) => ({ ...location, text: location.subjects.join(', ') }));
  lines.push(
    ...notices('needsEdit', usedBy?.needsEdit),
    ...notices('passedOn', passedOn),
    ...notices('unfollowed', usedBy?.unfollowed),
  );
  return `${lines.join('\n')}\n`;
}

/** Returns a workflow command, escaped as GitHub's toolkit does. */
function annotation(
  level: 'error' | 'warning' | 'notice',
  properties: Readonly<Record<string, string | number>>,
  message: string,
): string {
  const data = (text: string): string => text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
  const property = (text: string): string => data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
  const list = Object.entries(properties).map(([name, value]) => `${name}=${property(String(value))}`);
  return `::${level} ${list.join(',')}::${data(message)}`;
}
