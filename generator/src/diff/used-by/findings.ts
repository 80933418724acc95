/** What was found in a program, each thing once. */

import type { ts } from 'ts-morph';

import { optional } from '../../optional.js';
import { relativePath } from '../../paths.js';
import type { Enum, Missing, Subject } from './generated.js';
import type { Access, Construction, Key, Location, MemberUse, NameUse, Scope, Unclear, ValueUse } from './usage.js';

export class Findings {
  readonly #commands = new Map<string, NameUse>();
  readonly #events = new Map<string, NameUse>();
  readonly #members = new Map<string, MemberUse>();
  readonly #values = new Map<string, ValueUse>();
  readonly #constructions = new Map<string, Construction>();
  readonly #unclear = new Map<string, Unclear>();

  subject({ kind, name, isMethod = false }: Subject, node: ts.Node, isBare = false): void {
    const at = locate(node);
    const names = kind === 'command' ? this.#commands : this.#events;
    add(names, [name, at], { name, at, isBare, isMethod });
  }

  member({ key, title }: Missing, access: Access, node: ts.Node): void {
    const at = locate(node);
    add(this.#members, [key, access, at], { key, member: title, access, at });
  }

  /** @param access what is done with it, where that is known: then it counts, whatever else is seen of it there */
  value({ key, name }: Enum, value: string, access: Access | undefined, node: ts.Node): void {
    const at = locate(node);
    const id = JSON.stringify([key, value, at]);
    if (this.#values.get(id)?.access !== undefined) return;
    this.#values.set(id, { key, enum: name, value, ...optional('access', access), at });
  }

  construction(keys: readonly Key[], members: readonly string[], node: ts.Node): void {
    const at = locate(node);
    add(this.#constructions, [at, ...keys, '', ...members], { keys, members: new Set(members), at });
  }

  /** One for each line and text. */
  unclear(text: string, scope: Scope, node: ts.Node): void {
    const at = locate(node);
    const id = JSON.stringify([at.file, at.line, text]);
    const before = this.#unclear.get(id);
    this.#unclear.set(id, before ? { ...before, scope: join(before.scope, scope) } : { ...at, text, scope });
  }

  /** Of another program, which may have files in common with this one. */
  addAll(other: Findings): void {
    addMissing(this.#commands, other.#commands);
    addMissing(this.#events, other.#events);
    addMissing(this.#members, other.#members);
    addMissing(this.#values, other.#values);
    addMissing(this.#constructions, other.#constructions);
    addMissing(this.#unclear, other.#unclear);
  }

  get commands(): NameUse[] {
    return [...this.#commands.values()].toSorted(byPlace);
  }

  get events(): NameUse[] {
    return [...this.#events.values()].toSorted(byPlace);
  }

  get members(): MemberUse[] {
    return [...this.#members.values()].toSorted(byPlace);
  }

  get values(): ValueUse[] {
    return [...this.#values.values()].toSorted(byPlace);
  }

  get constructions(): Construction[] {
    return [...this.#constructions.values()].toSorted(byPlace);
  }

  get unclears(): Unclear[] {
    return [...this.#unclear.values()].toSorted(compareLocations);
  }
}

export function compareLocations(a: Location, b: Location): number {
  if (a.file !== b.file) return a.file < b.file ? -1 : 1;
  return a.line - b.line || a.column - b.column;
}

function byPlace(a: { readonly at: Location }, b: { readonly at: Location }): number {
  return compareLocations(a.at, b.at);
}

/** The first one stays. */
function add<T>(to: Map<string, T>, identity: readonly unknown[], value: T): void {
  const id = JSON.stringify(identity);
  if (!to.has(id)) to.set(id, value);
}

function addMissing<T>(to: Map<string, T>, from: ReadonlyMap<string, T>): void {
  for (const [id, value] of from) if (!to.has(id)) to.set(id, value);
}

function join(a: Scope, b: Scope): Scope {
  const both = <T>(one: Iterable<T> = [], other: Iterable<T> = []): Set<T> => new Set([...one, ...other]);
  return {
    reads: both(a.reads, b.reads),
    writes: both(a.writes, b.writes),
    ...optional('command', a.command ?? b.command),
    roles: [...both(a.roles, b.roles)],
  };
}

export function locate(node: ts.Node): Location {
  const file = node.getSourceFile();
  const { line, character } = file.getLineAndCharacterOfPosition(node.getStart(file));
  const path = relativePath(process.cwd(), file.fileName);
  return { file: path, line: line + 1, column: character + 1 };
}
