/** Groups paths that differ only in one union's branch: `.backend(type=file).data` and `.backend(type=pipe).data`. */

import { formatUse, type Use } from './change.js';

/** Items whose uses differ only in the value of one discriminator. */
export interface BranchGroup<T> {
  readonly items: readonly [T, ...T[]];
  /** The use of the first item, with the values of all items: `chardev-add: arguments.backend(type=file|pipe)`. */
  readonly text: string;
}

/** The text of a use, split at the value of one discriminator. */
interface Split {
  /** The same for all items that can form a group. */
  readonly key: string;
  readonly prefix: string;
  readonly value: string;
  readonly suffix: string;
}

/** The maximum number of values to show. */
const maxValues = 3;

/**
 * Returns groups that are as large as possible, in the order of their first items. Each item is in one group.
 *
 * @param identityOf returns what else the items of a group must have in common
 */
export function groupByBranch<T>(
  items: readonly T[],
  useOf: (item: T) => Use,
  identityOf: (item: T) => string = () => '',
): BranchGroup<T>[] {
  const splits = new Map(items.map((item) => [item, splitsOf(useOf(item), identityOf(item))]));
  const candidates = new Map<string, Map<T, Split>>();
  for (const [item, own] of splits) {
    for (const split of own) {
      let candidate = candidates.get(split.key);
      if (!candidate) candidates.set(split.key, (candidate = new Map()));
      candidate.set(item, split);
    }
  }
  const sizeOf = ({ key }: Split): number => candidates.get(key)?.size ?? 0;

  const done = new Set<T>();
  return items.flatMap((first) => {
    if (done.has(first)) return [];
    const [best] = (splits.get(first) ?? []).toSorted((a, b) => sizeOf(b) - sizeOf(a));
    const others = [...((best && candidates.get(best.key)) ?? [])].filter(
      ([item]) => item !== first && !done.has(item),
    );
    for (const item of [first, ...others.map(([other]) => other)]) done.add(item);
    if (!best || others.length === 0) return [{ items: [first], text: formatUse(useOf(first)) }];
    const values = [...new Set([best.value, ...others.map(([, { value }]) => value)])];
    return [
      { items: [first, ...others.map(([item]) => item)], text: `${best.prefix}${abridged(values)}${best.suffix}` },
    ];
  });
}

/** Returns one split for each discriminator in a use. */
function splitsOf(use: Use, identity: string): Split[] {
  const text = formatUse(use);
  return [...text.matchAll(/(?<=[(,][^(),=]+=)[^(),=]+(?=[,)])/gu)].map(({ 0: value, index }) => {
    const [prefix, suffix] = [text.slice(0, index), text.slice(index + value.length)];
    return { key: JSON.stringify([use.subject, identity, prefix, suffix]), prefix, value, suffix };
  });
}

/** Returns text such as `a|b|c|9 more`. */
function abridged(values: readonly string[]): string {
  // "1 more" would be no shorter than the value itself.
  if (values.length <= maxValues + 1) return values.join('|');
  return [...values.slice(0, maxValues), `${values.length - maxValues} more`].join('|');
}
