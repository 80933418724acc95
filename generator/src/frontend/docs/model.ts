/** Converts a documentation comment to the model's documentation. */

import type { Doc, DocEntry, DocExample, Position } from '../../model.js';
import type { DocComment, DocSection } from './comment.js';
import { dedent, indentation, isBlank, isWithin, withoutOuterBlankLines } from '../../indentation.js';

export function toDoc(comment: DocComment, position: Position): Doc {
  const body: string[] = [];
  const members = new Map<string, DocEntry>();
  const features = new Map<string, DocEntry>();
  const examples: DocExample[] = [];
  const tagged = new Map<DocSection['kind'], string>();
  for (const { kind, name = '', text } of comment.sections) {
    if (kind === 'todo') continue;
    if (kind === 'example') {
      examples.push({ text: dedent(text.split('\n')).join('\n') });
      continue;
    }
    const rest = cutExamples(text, examples);
    if (kind === 'plain') body.push(rest);
    else if (kind === 'note') body.push(noteDirective(rest));
    else if (kind === 'member') members.set(name, toDocEntry(rest));
    else if (kind === 'feature') features.set(name, toDocEntry(rest));
    else tagged.set(kind, rest);
  }
  const text = body.filter((part) => part !== '').join('\n\n');
  const returns = tagged.get('returns');
  const errors = tagged.get('errors');
  const since = /\d+(?:\.\d+)+/u.exec(tagged.get('since') ?? '')?.[0] ?? loneSince(text);
  return {
    position,
    body: text,
    members,
    features,
    ...(returns && { returns }),
    ...(errors && { errors }),
    ...(since !== undefined && { since }),
    examples,
  };
}

function noteDirective(text: string): string {
  return text && `.. note::\n\n${text.replaceAll(/^(?=.)/gmu, '   ')}`;
}

/** Moves `.. qmp-example::` directives from text to a list. Returns the remaining text. */
function cutExamples(text: string, examples: DocExample[]): string {
  const lines = text.split('\n');
  const rest: string[] = [];
  for (let at = 0; at < lines.length;) {
    const line = lines[at] ?? '';
    at += 1;
    if (!/^\s*\.\. +qmp-example::$/u.test(line)) {
      rest.push(line);
      continue;
    }
    const begin = at;
    while (at < lines.length && isWithin(lines[at] ?? '', indentation(line) + 1)) at += 1;
    examples.push(toExample(lines.slice(begin, at)));
  }
  return withoutOuterBlankLines(rest).join('\n');
}

/** @param lines the indented lines after `.. qmp-example::` */
function toExample(lines: readonly string[]): DocExample {
  // Options such as `:title: text` end at the first blank line.
  const blank = lines.findIndex(isBlank);
  const options = lines[0]?.trim().startsWith(':') ? lines.slice(0, blank === -1 ? lines.length : blank) : [];
  const joined = options.map((line) => line.trim()).join(' ');
  const title = /:title: +(.+?)(?= :[a-z]+:(?: |$)|$)/u.exec(joined)?.[1];
  return {
    ...(title !== undefined && { title }),
    ...(/(?:^| ):annotated:/u.test(joined) && { annotated: true }),
    text: dedent(withoutOuterBlankLines(lines.slice(options.length))).join('\n'),
  };
}

function toDocEntry(text: string): DocEntry {
  const since = entrySince(text);
  return { text, ...(since !== undefined && { since }) };
}

/** Returns the version in a paragraph such as `Since 2.4`: a tag without its colon. */
function loneSince(text: string): string | undefined {
  return /(?:^|\n\n)Since:? +(\d+(?:\.\d+)+)\.?(?=\n\n|$)/u.exec(text)?.[1];
}

/** Matches text such as `(since 2.4)` or `(default: on; since 2.4)`. */
const sinceInParentheses =
  /\((?:[^()]*[,;]\s+)?since(?::\s*|\s+)(?:QEMU\s+)?(?<version>\d+(?:\.\d+)+)(?![.\s]*[\w(])/giu;
/** Matches sentences such as `Since 2.4.`. */
const sinceSentence = /(?:^s|^S|\sS)ince(?::\s*|\s+)(?:QEMU\s+)?(?<version>\d+(?:\.\d+)+)(?=[.;]?(?:$|\n\n)|[.;]\s)/gu;

/**
 * Returns the version that introduced a member or feature, from its description. Outside of parentheses and separate
 * sentences, "since" may have another meaning. Parts can be newer than the whole, so the oldest version counts.
 */
function entrySince(text: string): string | undefined {
  const matches = [...text.matchAll(sinceInParentheses), ...text.matchAll(sinceSentence)];
  const versions = matches.flatMap(({ groups }) => groups?.['version'] ?? []);
  return versions.toSorted(compareVersions)[0];
}

function compareVersions(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}
