/** Introspections in a form that can be compared. */

import type { SchemaInfo } from '../../generator/src/introspect.js';

/**
 * Returns the entries of an introspection with its types renumbered by a walk in the order of names. Orders do not count:
 * entries, members and branches are sorted by name.
 */
export function renumbered(infos: readonly SchemaInfo[]): object[] {
  const isEntryPoint = (info: SchemaInfo): boolean => info['meta-type'] === 'command' || info['meta-type'] === 'event';
  const types = new Map(infos.filter((info) => !isEntryPoint(info)).map((info) => [info.name, info]));
  const numbers = new Map<string, string>();
  const open: SchemaInfo[] = [];
  const found: object[] = [];
  const number = (name: string): string => {
    const known = numbers.get(name);
    if (known !== undefined) return known;
    const info = types.get(name);
    // A type whose condition does not hold may still be referred to.
    if (!info) return 'absent';
    const given = info['meta-type'] === 'builtin' ? name : `type ${numbers.size}`;
    numbers.set(name, given);
    open.push(info);
    return given;
  };
  const contents = (info: SchemaInfo): object => {
    switch (info['meta-type']) {
      case 'command':
        return { ...info, 'arg-type': number(info['arg-type']), 'ret-type': number(info['ret-type']) };
      case 'event':
        return { ...info, 'arg-type': number(info['arg-type']) };
      case 'builtin':
        return info;
      case 'array':
        return { ...info, 'element-type': number(info['element-type']) };
      case 'enum':
        return { ...info, members: sorted(info.members.map(withSortedFeatures)), values: info.values.toSorted() };
      case 'object': {
        const members = sorted(info.members).map((member) => ({
          ...withSortedFeatures(member),
          type: number(member.type),
        }));
        const variants = info.variants?.toSorted((a, b) => (a.case < b.case ? -1 : 1));
        return {
          ...info,
          members,
          ...(variants && { variants: variants.map((variant) => ({ ...variant, type: number(variant.type) })) }),
        };
      }
      case 'alternate': {
        const kinds = info.members.map(({ type }) => ({ name: types.get(type)?.['meta-type'] ?? '', json: type }));
        const inOrder = kinds.toSorted((a, b) => (kindOf(types.get(a.json)) < kindOf(types.get(b.json)) ? -1 : 1));
        return { ...info, members: inOrder.map(({ json }) => ({ type: number(json) })) };
      }
    }
  };
  for (const info of sorted(infos.filter(isEntryPoint))) found.push({ ...contents(info), ...sortedFeatures(info) });
  // The loop also visits types that it adds.
  for (const info of open) found.push({ ...contents(info), ...sortedFeatures(info), name: number(info.name) });
  return found;
}

/** Returns what distinguishes the alternatives of an alternate. */
function kindOf(info: SchemaInfo | undefined): string {
  return `${info?.['meta-type']} ${info && 'json-type' in info ? info['json-type'] : ''}`;
}

function sorted<T extends { readonly name: string }>(all: readonly T[]): T[] {
  return all.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function withSortedFeatures<T extends { readonly features?: readonly string[] }>(one: T): T {
  return { ...one, ...sortedFeatures(one) };
}

function sortedFeatures({ features }: { readonly features?: readonly string[] }): { features?: string[] } {
  return features ? { features: features.toSorted() } : {};
}
