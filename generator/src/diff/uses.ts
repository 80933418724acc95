/** Finds where commands and events use something: the shortest path from each of them. */

import { formatUse, type Use } from './change.js';
import { Path } from './path.js';

/** The arguments or result of a command, the data of an event, or a command or event itself. */
interface Root extends Omit<Use, 'path'> {
  /** The position among all roots, which orders paths of the same length. */
  readonly order: number;
}

/** One place where something occurs. */
export interface Occurrence {
  readonly container: Container;
  /** The path within the container. */
  readonly path: Path;
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
  readonly path: Path;
}

/** Searches backwards, breadth first: the first path to reach a root is the shortest one from it. */
function* shortestPaths(container: Container): Generator<RootPath> {
  const done = new Set<Container>();
  let paths = new Map([[container, Path.whole]]);
  while (paths.size > 0) {
    const longer = new Map<Container, Path>();
    // Array elements and alternatives add no steps: their containers join the map during the loop.
    for (const [inner, path] of paths) {
      for (const { container: outer, path: ownPath } of inner.occurrences) {
        if (done.has(outer)) continue;
        const target = ownPath.length === 0 ? paths : longer;
        const known = target.get(outer);
        const whole = ownPath.concat(path);
        if (known !== undefined && compare(known, whole) <= 0) continue;
        // Deleting the entry first moves it to the end, so that the loop visits it again.
        target.delete(outer);
        target.set(outer, whole);
      }
    }
    for (const [outer, path] of paths) {
      done.add(outer);
      if (outer.root) yield { root: outer.root, path };
    }
    for (const outer of paths.keys()) longer.delete(outer);
    paths = longer;
  }
}

/** Compares paths. The result must not depend on the order of definitions in a schema. */
function compare({ text: a }: Path, { text: b }: Path): number {
  return a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);
}

/** Returns each use once, shortest path first. */
export function usesOf(occurrences: readonly Occurrence[]): RootPath[] {
  const uses = new Map<string, RootPath>();
  for (const occurrence of occurrences) {
    for (const { root, path } of occurrence.container.rootPaths()) {
      const use = { root, path: path.concat(occurrence.path) };
      const key = `${root.subject} ${formatUse({ ...root, path: use.path })}`;
      if (!uses.has(key)) uses.set(key, use);
    }
  }
  return [...uses.values()].toSorted(
    (a, b) => a.path.length - b.path.length || compare(a.path, b.path) || a.root.order - b.root.order,
  );
}
