/**
 * Finds the changes that affect a program: `--used-by TSCONFIG`.
 *
 * The program is checked in memory with the types of both sides. A walk of each check records what the program does
 * with generated code. A change affects it where the records of both checks agree on a node, so a type that changed in
 * one place is not confused with the same type elsewhere. An error that only the new types cause is attributed to a
 * change, or else reported as a required edit.
 */

import type { ts } from 'ts-morph';

import { amount } from '../amount.js';
import type { Change } from '../diff/change.js';
import type { CodeLocation, UsedBy } from '../diff/report.js';
import type { Schema } from '../model.js';
import { relativePath } from '../paths.js';
import { folderOf, GeneratedCode, type Subject } from './code.js';
import { attribute } from './diagnostics.js';
import { affectedBy, intersects, type View } from './affected.js';
import { filesFor, withMarkedEnums, PackageFinder, packagesOf, withOldNames, type Package } from './packages.js';
import { readConfigurations, type Configured, type Replacements } from './program.js';
import { walk } from './walk.js';

export interface Compared {
  readonly changes: readonly Change[];
  /** The names of the compared server's commands. */
  readonly commands: ReadonlySet<string>;
  readonly old: Schema;
  readonly new: Schema;
}

export interface UsedByResult {
  readonly usedBy: UsedBy;
  /** Further remarks: sentences without their periods. */
  readonly notes: readonly string[];
}

/**
 * Returns the places where changes affect a program.
 *
 * @param tsconfig the path of a configuration, or of the directory with its `tsconfig.json`
 * @throws FileError if it cannot be read; UsageError if it is not a configuration
 */
export async function usedBy(compared: Compared, tsconfig: string): Promise<UsedByResult> {
  const results = new Results(compared.changes);
  const seen = new Set<string>();
  for (const configured of await readConfigurations(tsconfig)) {
    // Referenced projects are checked from source together with those that reference them.
    if (configured.files.every((file) => seen.has(file))) continue;
    const views = viewsOf(configured, compared);
    for (const { fileName } of views.files) seen.add(fileName);
    if (views.sides) results.add(views.sides, views.files, configured, compared.changes);
  }
  const notes = results.hasPackage
    ? results.notes(tsconfig)
    : [`the program of '${tsconfig}' imports no generated code`];
  return { usedBy: results.usedBy(tsconfig), notes };
}

interface Views {
  readonly files: readonly ts.SourceFile[];
  /** Absent if the program imports no generated code of the compared server. */
  readonly sides?: Sides;
}

interface Sides {
  readonly old: View;
  readonly newer: View;
}

function viewsOf(configured: Configured, { commands, old, new: newer }: Compared): Views {
  const { compiler } = configured;
  const finder = new PackageFinder();
  const own = configured.program(new Map(), finder.has);
  const isOwn = (file: ts.SourceFile): boolean =>
    !file.isDeclarationFile &&
    !own.isSourceFileFromExternalLibrary(file) &&
    !finder.has(folderOf(file)) &&
    !file.fileName.endsWith('.json');
  const files = own.getSourceFiles().filter(isOwn);
  const packages = packagesOf(finder.found, commands, old);
  if (packages.length === 0) return { files };
  const view = (contentOf: (one: Package) => ReadonlyMap<string, string>): View => {
    const replacements: Replacements = new Map(packages.map((one) => [one.folder, contentOf(one)]));
    const program = configured.program(replacements);
    const code = new GeneratedCode(compiler, program, new Set(replacements.keys()));
    return { compiler, program, code, facts: walk(compiler, program, code, files) };
  };
  return {
    files,
    sides: {
      old: view((one) => withMarkedEnums(filesFor(one, old))),
      newer: view((one) => withOldNames(filesFor(one, newer), old, newer)),
    },
  };
}

class Results {
  readonly #touched: ReadonlyMap<Change, Map<string, CodeLocation>>;
  readonly #edits = new Map<string, CodeLocation & { text: string }>();
  readonly #passed = new Map<string, CodeLocation & { subjects: string[] }>();
  readonly #unfollowed = new Map<string, CodeLocation & { text: string }>();
  readonly #unchecked = new Set<string>();
  #isStrict = true;
  hasPackage = false;

  constructor(changes: readonly Change[]) {
    this.#touched = new Map(changes.map((change) => [change, new Map()]));
  }

  add(
    { old, newer }: Sides,
    files: readonly ts.SourceFile[],
    configured: Configured,
    changes: readonly Change[],
  ): void {
    this.hasPackage = true;
    const affected = new Map(changes.map((change) => [change, affectedBy(change, old, newer)]));
    for (const [change, nodes] of affected) for (const node of nodes) this.#touch(change, node);
    this.#pass(old, changes);
    for (const { node, text } of old.facts.unfollowed) keep(this.#unfollowed, { ...locate(node), text }, text);
    const breaking = new Map([...affected].filter(([{ verdict }]) => verdict === 'breaking'));
    const { places, edits } = attribute(old, newer, files, breaking);
    for (const [change, nodes] of places) for (const node of nodes) this.#touch(change, node);
    for (const { node, start, text } of edits) keep(this.#edits, { ...locate(node, start), text }, text);
    this.#hidden(files, configured);
  }

  usedBy(tsconfig: string): UsedBy {
    const touched = [...this.#touched].flatMap(([change, places]) =>
      places.size > 0 ? [[change, sorted(places)] as const] : [],
    );
    return {
      tsconfig,
      touched: new Map(touched),
      needsEdit: sorted(this.#edits),
      passedOn: sorted(this.#passed).map((place) => ({ ...place, subjects: place.subjects.toSorted() })),
      unfollowed: sorted(this.#unfollowed),
    };
  }

  notes(tsconfig: string): string[] {
    const { size } = this.#unchecked;
    const files = amount(size, 'JavaScript file');
    return [
      ...(this.#isStrict
        ? []
        : [`'${tsconfig}' is not strict: TypeScript does not report uses of values that may be absent`]),
      ...(size === 0
        ? []
        : [`'${tsconfig}' does not check ${files} ('checkJs'): only uses of known types are found there`]),
    ];
  }

  #touch(change: Change, node: ts.Node): void {
    const places = this.#touched.get(change);
    if (places) keep(places, locate(node));
  }

  #pass({ code, facts }: View, changes: readonly Change[]): void {
    const used = new Set(facts.subjects.map(nameOfSubject));
    const relevant = changes.filter(({ verdict }) => verdict !== 'harmless');
    const anchors = relevant.flatMap(({ side, uses }) =>
      uses
        .filter(({ subject, name, role }) => role !== undefined && used.has(nameOfSubject({ kind: subject, name })))
        .map((use) => ({ side, name: use.name, target: code.find(use) })),
    );
    for (const { node, type, access } of facts.passed) {
      const reached = code.reach(type);
      const side = access === 'reads' ? 'readers' : 'callers';
      const reachable = anchors.filter(
        ({ target, ...one }) =>
          one.side === side && (intersects(target.members, reached) || intersects(target.owners, reached)),
      );
      if (reachable.length === 0) continue;
      const place = keep(this.#passed, { ...locate(node), subjects: [] });
      for (const { name } of reachable) if (!place.subjects.includes(name)) place.subjects.push(name);
    }
  }

  /** Notes what the compiler cannot find in loosely checked code. */
  #hidden(files: readonly ts.SourceFile[], { compiler, options }: Configured): void {
    const strict = options.strictNullChecks ?? options.strict ?? compiler.version.startsWith('6.');
    this.#isStrict &&= strict;
    for (const { fileName, text } of files) {
      if (/\.[cm]?jsx?$/u.test(fileName) && !options.checkJs && !/^\s*\/\/\s*@ts-check/mu.test(text))
        this.#unchecked.add(fileName);
    }
  }
}

function nameOfSubject({ kind, name }: Subject): string {
  return `${kind} ${name}`;
}

/** Keeps the first place on each line. */
function keep<T extends CodeLocation>(places: Map<string, T>, place: T, text = ''): T {
  const key = `${place.file}:${place.line} ${text}`;
  const known = places.get(key);
  if (known && known.column <= place.column) return known;
  const first = known ? { ...known, column: place.column } : place;
  places.set(key, first);
  return first;
}

function sorted<T extends CodeLocation>(places: ReadonlyMap<string, T>): T[] {
  return [...places.values()].toSorted((a, b) => {
    if (a.file !== b.file) return a.file < b.file ? -1 : 1;
    return a.line - b.line || a.column - b.column;
  });
}

function locate(node: ts.Node, start?: number): CodeLocation {
  const file = node.getSourceFile();
  const { line, character } = file.getLineAndCharacterOfPosition(start ?? node.getStart(file));
  const path = relativePath(process.cwd(), file.fileName);
  return { file: path, line: line + 1, column: character + 1 };
}
