/** Finds where commands and events use something: the shortest path from each of them. */

import { formatUse, type Use } from './change.js';

/** The arguments or result of a command, the data of an event, or a command or event itself. */
interface Root extends Omit<Use, 'path'> {
  /** The position among all roots, which orders paths of the same length. */
  readonly order: number;
}

/** One place where something occurs. */
export interface Occurrence {
  readonly container: Container;
  /** The path within the container. */
  readonly path: string;
  /** The number of members in the path. */
  readonly steps: number;
}

/** A root, or a pair of types, which occurs in other containers. */
export class Container {
  readonly occurrences: Occurrence[] = [];
  #rootPaths: readonly RootPath[] | undefined;

  constructor(readonly root?: Root) {}

  /** Returns the shortest path from each root. Call it only when all occurrences are known. */
  rootPaths(): readonly RootPath[] {
    return (this.#rootPaths ??= [...shortestPaths(this)]);
  }
}

export interface RootPath {
  readonly root: Root;
  readonly path: string;
  readonly steps: number;
}

/** Searches backwards, breadth first: the first path to reach a root is the shortest one from it. */
function* shortestPaths(container: Container): Generator<RootPath> {
  const done = new Set<Container>();
  let paths = new Map([[container, '']]);
  for (let steps = 0; paths.size > 0; steps += 1) {
    const longer = new Map<Container, string>();
    // Array elements and alternatives add no steps: their containers join the map during the loop.
    for (const [inner, path] of paths) {
      for (const { container: outer, path: ownPath, steps: ownSteps } of inner.occurrences) {
        if (done.has(outer)) continue;
        const target = ownSteps === 0 ? paths : longer;
        const known = target.get(outer);
        const whole = ownPath + path;
        if (known !== undefined && compare(known, whole) <= 0) continue;
        // Deleting the entry first moves it to the end, so that the loop visits it again.
        target.delete(outer);
        target.set(outer, whole);
      }
    }
    for (const [outer, path] of paths) {
      done.add(outer);
      if (outer.root) yield { root: outer.root, path, steps };
    }
    for (const outer of paths.keys()) longer.delete(outer);
    paths = longer;
  }
}

/** Compares paths. The result must not depend on the order of definitions in a schema. */
function compare(a: string, b: string): number {
  return a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);
}

/** Returns each use once, shortest path first. */
export function usesOf(occurrences: readonly Occurrence[]): RootPath[] {
  const uses = new Map<string, RootPath>();
  for (const occurrence of occurrences) {
    for (const { root, path, steps } of occurrence.container.rootPaths()) {
      const use = { root, path: path + occurrence.path, steps: steps + occurrence.steps };
      const key = `${root.subject} ${formatUse({ ...root, path: use.path })}`;
      if (!uses.has(key)) uses.set(key, use);
    }
  }
  return [...uses.values()].toSorted(
    (a, b) => a.steps - b.steps || compare(a.path, b.path) || a.root.order - b.root.order,
  );
}
