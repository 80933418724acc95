/** Paths that differ in nothing but the branch of one union: `.backend(type=file).data` and `.backend(type=pipe).data`. */

import { formatUse, type Use } from './change.js';

/** Things whose uses differ in nothing but the value of one discriminator. */
export interface BranchGroup<T> {
  readonly items: readonly [T, ...T[]];
  /** The use of the first item, with all values in the place of one: `chardev-add: arguments.backend(type=file|pipe)`. */
  readonly text: string;
}

/** A use without the value of one discriminator. */
interface Cut {
  readonly key: string;
  readonly before: string;
  readonly value: string;
  readonly after: string;
}

/** Of a use with more branches, so many are named. */
const maxValues = 3;

/**
 * Each item is in one group, with as many others as possible. Groups are in the order of their first items.
 *
 * @param identityOf what else must be the same
 */
export function groupByBranch<T>(
  items: readonly T[],
  useOf: (item: T) => Use,
  identityOf: (item: T) => string = () => '',
): BranchGroup<T>[] {
  const cuts = new Map(items.map((item) => [item, cutsOf(useOf(item), identityOf(item))]));
  const candidates = new Map<string, Map<T, Cut>>();
  for (const [item, all] of cuts) {
    for (const cut of all) {
      let candidate = candidates.get(cut.key);
      if (!candidate) candidates.set(cut.key, (candidate = new Map()));
      candidate.set(item, cut);
    }
  }
  const sizeOf = ({ key }: Cut): number => candidates.get(key)?.size ?? 0;

  const done = new Set<T>();
  return items.flatMap((first) => {
    if (done.has(first)) return [];
    const [best] = (cuts.get(first) ?? []).toSorted((a, b) => sizeOf(b) - sizeOf(a));
    const others = [...((best && candidates.get(best.key)) ?? [])].filter(
      ([item]) => item !== first && !done.has(item),
    );
    for (const item of [first, ...others.map(([other]) => other)]) done.add(item);
    if (!best || others.length === 0) return [{ items: [first], text: formatUse(useOf(first)) }];
    const values = [...new Set([best.value, ...others.map(([, { value }]) => value)])];
    return [
      { items: [first, ...others.map(([item]) => item)], text: `${best.before}${abridged(values)}${best.after}` },
    ];
  });
}

function cutsOf(use: Use, identity: string): Cut[] {
  const text = formatUse(use);
  return [...text.matchAll(/(?<=[(,][^(),=]+=)[^(),=]+(?=[,)])/gu)].map(({ 0: value, index }) => {
    const [before, after] = [text.slice(0, index), text.slice(index + value.length)];
    return { key: JSON.stringify([use.subject, identity, before, after]), before, value, after };
  });
}

/** `a|b|c|9 more` */
function abridged(values: readonly string[]): string {
  // "1 more" would be no shorter than that one.
  if (values.length <= maxValues + 1) return values.join('|');
  return [...values.slice(0, maxValues), `${values.length - maxValues} more`].join('|');
}
