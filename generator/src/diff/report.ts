/** What a comparison found: text for people, JSON for programs, Markdown for changelogs, annotations for GitHub. */

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

/** How people call a side, and what it is. */
export interface SideTitle {
  readonly title: string;
  readonly kind: 'embedded' | 'schema' | 'introspection' | 'server';
}

/** A place in a program. */
export interface CodePlace {
  /** Relative to the current folder. */
  readonly file: string;
  /** These count from 1. */
  readonly line: number;
  readonly column: number;
}

/** What of a program the changes touch. */
export interface UsedBy {
  /** The `tsconfig.json` of the program. */
  readonly tsconfig: string;
  /** Where the program meets a change; a change that it does not meet is not there. */
  readonly touched: ReadonlyMap<Change, readonly CodePlace[]>;
  /** What the new types make an error, and no breaking change explains: with what the compiler says. */
  readonly needsEdit: readonly (CodePlace & { readonly text: string })[];
  /** Where a value leaves the typed world, or enters it: with the commands and events whose changes may be met beyond. */
  readonly passedOn: readonly (CodePlace & { readonly subjects: readonly string[] })[];
  /** Where the program uses what could not be followed. */
  readonly unfollowed: readonly (CodePlace & { readonly text: string })[];
}

/** All that a server lacks because of one condition. */
export interface Conditional {
  /** As an expression: `CONFIG_LINUX && !CONFIG_X` */
  readonly condition: string;
  readonly parts: readonly LackingPart[];
}

export interface LackingPart {
  readonly kind: 'command' | 'event' | 'member' | 'value' | 'branch' | 'alternative' | 'feature';
  readonly name: string;
  /** Where it would be: what would have it. Absent for a command or event. */
  readonly use?: Use;
}

/** Of a comparison; a `DriftReport` is one, too. */
export interface Report {
  readonly old: SideTitle;
  readonly new: SideTitle;
  readonly changes: readonly Change[];
  /** What was not compared, and what else there is to know: sentences without their ends. */
  readonly notes: readonly string[];
  readonly usedBy?: UsedBy;
  readonly serverVersion?: string;
  readonly conditions?: Conditions;
  readonly conditional?: readonly Conditional[];
}

/** How many are shown: what a type in forty places changes is told with the first of them. */
const maxUses = 3;
const maxPlaces = 5;
const maxParts = 5;

interface FormatOptions {
  /** Of text. */
  readonly colour?: boolean;
  /** The folder that the files in annotations are relative to; the current one unless told. */
  readonly workspace?: string;
}

/** Lines, with a newline at the end. */
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

/** With `usedBy`, only what touches the program counts. */
export function isPast(report: Report, threshold: Threshold): boolean {
  const changes = relevantChanges(report);
  if (threshold === 'any') return changes.length > 0;
  return threshold === 'breaking' && changes.some(({ verdict }) => verdict === 'breaking');
}

/** What an introspection hides, if a side is one. */
export function notesOnIntrospections(sides: readonly SideTitle[]): string[] {
  const titles = sides.filter(({ kind }) => kind === 'introspection').map(({ title }) => `'${title}'`);
  if (titles.length === 0) return [];
  const are = titles.length === 1 ? 'is an introspection' : 'are introspections';
  return [
    `not compared, because ${titles.join(' and ')} ${are}: widths of integers, conditions, ` +
      'and whether a command takes further arguments, replies, or is allowed with -preconfig',
    "what a server was built without is not in its introspection, and so a difference; 'qapi-ts drift' tells such apart",
  ];
}

/** All changes, or those that touch the program; worst first. */
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

/** `42 changes: 3 breaking, 7 notable, 32 harmless` */
function formatCounts(changes: readonly Change[]): string {
  if (changes.length === 0) return 'no changes';
  const counts = countsOf(changes);
  return `${amount(changes.length, 'change')}: ${verdicts.map((verdict) => `${counts[verdict]} ${verdict}`).join(', ')}`;
}

function amount(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function formatTitle(report: Report): string {
  return `${report.old.title} -> ${report.new.title}`;
}

/** What must be known beside the counts. */
function remarks(report: Report): string[] {
  const { usedBy, notes } = report;
  if (!usedBy) return [...notes];
  const lines = [`in use by '${usedBy.tsconfig}': ${formatCounts(relevantChanges(report))}`];
  if (usedBy.needsEdit.length > 0) lines.push(`needs an edit there: ${amount(usedBy.needsEdit.length, 'place')}`);
  if (usedBy.passedOn.length > 0) lines.push(`passed on whole there: ${amount(usedBy.passedOn.length, 'place')}`);
  if (usedBy.unfollowed.length > 0) lines.push(`not followed there: ${amount(usedBy.unfollowed.length, 'place')}`);
  return [...lines, ...notes];
}

/** `a, b, c and 4 more` */
function enumerate(texts: readonly string[], limit: number): string {
  // "and 1 more" would be no shorter than that one.
  if (texts.length <= limit + 1) return texts.join(', ');
  return `${texts.slice(0, limit).join(', ')} and ${texts.length - limit} more`;
}

/** Where a change is met: branches of one union together. */
function usesOf({ uses }: Change): string[] {
  return groupByBranch(uses, (use) => use).map(({ text }) => text);
}

function formatPlace({ file, line }: CodePlace): string {
  return `${file}:${line}`;
}

/** Where the program meets a change: one place in each line. */
function placesOf(change: Change, usedBy: UsedBy | undefined): CodePlace[] {
  const places = usedBy?.touched.get(change) ?? [];
  return [...new Map(places.map((place) => [formatPlace(place), place])).values()];
}

/** `value 'io_uring' of 'blockdev-add: arguments.aio'` */
function formatPart({ kind, name, use }: LackingPart): string {
  return `${kind} '${name}'${use ? ` of '${formatUse(use)}'` : ''}`;
}

const conditionTitles: readonly (readonly [keyof Conditions, string])[] = [
  ['has', 'met'],
  ['lacks', 'not met'],
  ['undecided', 'not to be told'],
  ['contradicted', 'contradictory'],
];

/** What is known of the conditions of a build: `met: CONFIG_A, CONFIG_B` */
function formatConditions({ conditions }: Report, name: (text: string) => string): string[] {
  return conditionTitles.flatMap(([key, title]) => {
    const names = conditions?.[key] ?? [];
    return names.length > 0 ? [`${title}: ${names.map(name).join(', ')}`] : [];
  });
}

/** How the parts of an entry are written. */
interface Style {
  /** What an entry begins with: a use, a place, a condition. */
  readonly where: (text: string) => string;
  /** Other names and the like. */
  readonly name: (text: string) => string;
  /** Sentences, with names in single quotes. */
  readonly prose: (text: string) => string;
  /** What follows the sentence of a change. */
  readonly also: (uses: string) => string;
  readonly at: (places: string) => string;
}

interface Section {
  readonly title: string;
  readonly verdict?: Verdict;
  readonly entries: readonly string[];
}

/** Those that have entries. */
function sections(report: Report, style: Style): Section[] {
  const { usedBy, conditional = [] } = report;
  const { where, name, prose } = style;
  const changes = relevantChanges(report);
  const all: Section[] = verdicts.map((verdict) => ({
    title: verdict,
    verdict,
    entries: ofVerdict(changes, verdict).map((change) => {
      const [first = '', ...further] = usesOf(change);
      const places = placesOf(change, usedBy).map((place) => name(formatPlace(place)));
      const also = further.length > 0 ? style.also(enumerate(further.map(name), maxUses)) : '';
      const at = places.length > 0 ? style.at(enumerate(places, maxPlaces)) : '';
      return `${where(first)}: ${prose(change.text)}${also}${at}`;
    }),
  }));
  const leftOut = conditional.map(({ condition, parts }) => {
    const texts = parts.map((part) => prose(formatPart(part)));
    return `${where(condition)}: ${enumerate(texts, maxParts)}`;
  });
  const explained = (places: readonly (CodePlace & { readonly text: string })[] = []): string[] =>
    places.map((place) => `${where(formatPlace(place))}: ${prose(place.text)}`);
  const passedOn = (usedBy?.passedOn ?? []).map(
    (place) => `${where(formatPlace(place))}: ${place.subjects.map(name).join(', ')}`,
  );
  all.push(
    { title: 'conditions of the build', entries: formatConditions(report, name) },
    { title: 'left out by conditions', entries: leftOut },
    { title: 'needs an edit', entries: explained(usedBy?.needsEdit) },
    { title: 'passed on whole', entries: passedOn },
    { title: 'not followed', entries: explained(usedBy?.unfollowed) },
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
    at: (places) => `\n    in ${places}`,
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

/** What `--format json` prints. The README documents it, and programs rely on it. */
export interface JsonReport {
  readonly old: SideTitle;
  readonly new: SideTitle;
  readonly notes: readonly string[];
  /** Of all changes, whether they touch the program or not. */
  readonly counts: Counts;
  /** All of them, worst first. */
  readonly changes: readonly JsonChange[];
  /** Only with `--used-by`. */
  readonly usedBy?: {
    readonly tsconfig: string;
    /** Of the changes that touch the program. */
    readonly counts: Counts;
  } & Pick<UsedBy, 'needsEdit' | 'passedOn' | 'unfollowed'>;
  /** These only of a drift. */
  readonly serverVersion?: string;
  readonly conditions?: Conditions;
  readonly conditional?: readonly Conditional[];
}

interface JsonChange extends Omit<Change, 'uses'> {
  readonly uses: readonly (Use & { readonly text: string })[];
  /** Where the program meets it; only with `--used-by`. */
  readonly usedBy?: readonly CodePlace[];
}

function toJson(report: Report): JsonReport {
  const { notes, changes, usedBy } = report;
  const side = ({ title, kind }: SideTitle): SideTitle => ({ title, kind });
  const used = (program: UsedBy): JsonReport['usedBy'] => {
    const { tsconfig, needsEdit, passedOn, unfollowed } = program;
    return { tsconfig, counts: countsOf(relevantChanges(report)), needsEdit, passedOn, unfollowed };
  };
  return {
    old: side(report.old),
    new: side(report.new),
    ...optional('serverVersion', report.serverVersion),
    notes,
    counts: countsOf(changes),
    ...optional('usedBy', usedBy && used(usedBy)),
    changes: worstFirst(changes).map((change) => ({
      ...change,
      uses: change.uses.map((use) => ({ ...use, text: formatUse(use) })),
      ...(usedBy && { usedBy: usedBy.touched.get(change) ?? [] }),
    })),
    ...optional('conditions', report.conditions),
    ...optional('conditional', report.conditional),
  };
}

/** A section of a changelog. */
function formatMarkdown(report: Report): string {
  const side = ({ title, kind }: SideTitle): string => (kind === 'embedded' ? `QEMU ${title}` : codeSpan(title));
  const style: Style = {
    where: codeSpan,
    name: codeSpan,
    prose: codeNames,
    also: (uses) => `; also ${uses}`,
    at: (places) => `; in ${places}`,
  };
  const blocks = [
    `## From ${side(report.old)} to ${side(report.new)}`,
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

/** A code span: nothing within it is markup but a fence as long as its own. */
function codeSpan(text: string): string {
  const clean = printable(text);
  const runs = [...clean.matchAll(/`+/gu)].map(([run]) => run.length);
  const fence = '`'.repeat(Math.max(0, ...runs) + 1);
  const pad = /^`|`$/u.test(clean) ? ' ' : '';
  return `${fence}${pad}${clean}${pad}${fence}`;
}

/** A sentence: names, in single quotes, become code, and the rest is no markup. */
function codeNames(text: string): string {
  return text
    .split(/(?<![\p{L}\p{N}])'([^']+)'(?![\p{L}\p{N}])/u)
    .map((part, index) => (index % 2 === 1 ? codeSpan(part) : plain(part)))
    .join('');
}

/** GitHub looks for mentions and addresses in the text that is left when markup is gone, so that an escape does not help. */
function plain(text: string): string {
  return printable(text)
    .replaceAll(/[\\`*_[\]<>#|~&]/gu, '\\$&')
    .replaceAll(/@|#(?=\d)|:(?=\/\/)|(?<=www)\./giu, '$&<!-- -->');
}

/**
 * Workflow commands of GitHub Actions. It shows ten annotations of a level for each step, so that what is harmless would crowd
 * out the rest: that is only counted.
 */
function formatGitHub(report: Report, workspace: string): string {
  const { usedBy } = report;
  const file = (place: CodePlace): string => printable(relativePath(workspace, place.file));
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
    // Beside each line of code.
    for (const place of placesOf(change, usedBy)) {
      lines.push(annotation(level, { file: file(place), line: place.line, ...properties }, message));
    }
  }
  const notices = (what: string, places: readonly (CodePlace & { readonly text: string })[] = []): string[] =>
    places.map((place) => {
      const properties = { file: file(place), line: place.line, title: `${title}: ${what}` };
      return annotation('notice', properties, printable(place.text));
    });
  const passedOn = usedBy?.passedOn.map((place) => ({ ...place, text: place.subjects.join(', ') }));
  lines.push(
    ...notices('needs an edit', usedBy?.needsEdit),
    ...notices('passed on whole', passedOn),
    ...notices('not followed', usedBy?.unfollowed),
  );
  return `${lines.join('\n')}\n`;
}

/** Escaped as GitHub's toolkit does. */
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
