/** Groups paths that differ only in one union's branch: `.backend(type=file).data` and `.backend(type=pipe).data`. */

import { formatUse, type Use } from './change.js';
import { Path } from './path.js';

/** Items whose uses differ only in the value of one discriminator. */
export interface BranchGroup<T> {
  readonly items: readonly [T, ...T[]];
  /** The use of the first item, with the values of all items: `chardev-add: arguments.backend(type=file|pipe)`. */
  readonly text: string;
}

/** A use, as seen from the value of one discriminator. */
interface Variant {
  /** The same for all items that can form a group. */
  readonly key: string;
  readonly value: string;
  /** Returns the text of the use with other values. */
  readonly withValues: (values: string) => string;
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
  const variants = new Map(items.map((item) => [item, variantsOf(useOf(item), identityOf(item))]));
  const candidates = new Map<string, Map<T, Variant>>();
  for (const [item, own] of variants) {
    for (const variant of own) {
      let candidate = candidates.get(variant.key);
      if (!candidate) candidates.set(variant.key, (candidate = new Map()));
      candidate.set(item, variant);
    }
  }
  const sizeOf = ({ key }: Variant): number => candidates.get(key)?.size ?? 0;

  const done = new Set<T>();
  return items.flatMap((first) => {
    if (done.has(first)) return [];
    const [best] = (variants.get(first) ?? []).toSorted((a, b) => sizeOf(b) - sizeOf(a));
    const others = [...((best && candidates.get(best.key)) ?? [])].filter(
      ([item]) => item !== first && !done.has(item),
    );
    for (const item of [first, ...others.map(([other]) => other)]) done.add(item);
    if (!best || others.length === 0) return [{ items: [first], text: formatUse(useOf(first)) }];
    const values = [...new Set([best.value, ...others.map(([, { value }]) => value)])];
    return [{ items: [first, ...others.map(([item]) => item)], text: best.withValues(abridged(values)) }];
  });
}

/** Returns one variant for each discriminator in a use. */
function variantsOf(use: Use, identity: string): Variant[] {
  const { steps } = use.path;
  return steps.flatMap((step, at) => {
    if (step.kind !== 'branch') return [];
    return step.choices.map((choice, index) => {
      const withValues = (value: string): string => {
        const choices = step.choices.with(index, { ...choice, value });
        return formatUse({ ...use, path: Path.from(steps.with(at, { ...step, choices })) });
      };
      const key = JSON.stringify([use.subject, identity, at, index, withValues('')]);
      return { key, value: choice.value, withValues };
    });
  });
}

/** Returns text such as `a|b|c|9 more`. */
function abridged(values: readonly string[]): string {
  // "1 more" would be no shorter than the value itself.
  if (values.length <= maxValues + 1) return values.join('|');
  return [...values.slice(0, maxValues), `${values.length - maxValues} more`].join('|');
}
