/** Where in commands and events something is met: the shortest way from each of them. */

import { formatUse, type Use } from './change.js';

/** What a command takes or returns, or an event carries; or the command or event itself. */
export interface Root extends Omit<Use, 'path'> {
  /** Roots come in this order where their paths are of one length. */
  readonly order: number;
}

/** Where one thing is, or can be reached from. */
export interface Spot {
  readonly from: Node;
  /** From there. */
  readonly path: string;
  /** Of how many members the path is. */
  readonly steps: number;
}

/** What is met in one or more places: a root, or something in it. */
export class Node {
  readonly spots: Spot[] = [];
  #reached: readonly Reached[] | undefined;

  constructor(readonly root?: Root) {}

  /** By the shortest way from each root that leads here. Only when all spots are known. */
  reached(): readonly Reached[] {
    return (this.#reached ??= [...shortestWays(this)]);
  }
}

export interface Reached {
  readonly root: Root;
  readonly path: string;
  readonly steps: number;
}

/** Goes back from a node, all ways of one length at once: the first that come to a root are the shortest from it. */
function* shortestWays(node: Node): Generator<Reached> {
  const done = new Set<Node>();
  let paths = new Map([[node, '']]);
  for (let steps = 0; paths.size > 0; steps += 1) {
    const further = new Map<Node, string>();
    // A way of no length, into an array or an alternate, leads to more of this length: to nodes that come to the map while it is walked.
    for (const [at, path] of paths) {
      for (const spot of at.spots) {
        if (done.has(spot.from)) continue;
        const target = spot.steps === 0 ? paths : further;
        const known = target.get(spot.from);
        const longer = spot.path + path;
        if (known !== undefined && order(known, longer) <= 0) continue;
        // Deleted first, a node is walked again.
        target.delete(spot.from);
        target.set(spot.from, longer);
      }
    }
    for (const [at, path] of paths) {
      done.add(at);
      if (at.root) yield { root: at.root, path, steps };
    }
    for (const at of paths.keys()) further.delete(at);
    paths = further;
  }
}

/** So that it does not depend on the order of things in a schema which of two ways is told. */
function order(a: string, b: string): number {
  return a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);
}

/** Each place once, the shortest path first. */
export function usesOf(spots: readonly Spot[]): Reached[] {
  const uses = new Map<string, Reached>();
  for (const spot of spots) {
    for (const { root, path, steps } of spot.from.reached()) {
      const reached = { root, path: path + spot.path, steps: steps + spot.steps };
      const key = `${root.subject} ${formatUse({ ...root, path: reached.path })}`;
      if (!uses.has(key)) uses.set(key, reached);
    }
  }
  return [...uses.values()].toSorted(
    (a, b) => a.steps - b.steps || order(a.path, b.path) || a.root.order - b.root.order,
  );
}
