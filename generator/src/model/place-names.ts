/** Names types after the places where they are used. */

import { FileError } from '../errors.js';
import type { Definition, NamedType, Type } from '../model.js';
import { pascalCase } from '../pascal-case.js';
import { namedIn } from './pairs.js';

/** The module of a definition. */
export type Home = Pick<Definition, 'module' | 'position'>;

/** A command, an event or a type, and the types that it uses. */
export interface Owner {
  readonly title: string;
  readonly home: Home;
  readonly parts: readonly Part[];
}

/** A member, branch, alternative or role. */
export type Part = readonly [name: string, type: Type];

export interface PlaceName {
  readonly name: string;
  /** That of the owner. */
  readonly home: Home;
}

interface Naming {
  readonly entryPoints: readonly Owner[];
  /** All types that have names. */
  readonly named: readonly Owner[];
  readonly isNamed: (type: NamedType) => boolean;
  readonly partsOf: (type: NamedType) => readonly Part[];
  /** Names that cannot be used. */
  readonly taken: ReadonlySet<string>;
}

/** The maximum length of a name. Each level of nesting makes names longer, so that they could exhaust the memory. */
const maxLength = 1000;

/**
 * Names types after an owner and a part of it, such as `QueryBlockResult`, `BlockInfoInserted` or, for the elements of an array,
 * `QueryBlockResultItem`. Of several places, the shallowest counts, then the first by name. All types with a name of their own
 * count as equally deep, so that it does not matter where else they are used.
 *
 * @throws FileError if types are nested too deeply
 */
export function placeNames({ entryPoints, named, isNamed, partsOf, taken }: Naming): Map<NamedType, PlaceName> {
  const names = new Map<NamedType, PlaceName>();
  const allTaken = new Set(taken);
  const unique = (wanted: string): string => {
    if (wanted.length > maxLength) throw new FileError('the introspection is malformed: types are nested too deeply');
    let name = wanted;
    for (let number = 2; allTaken.has(name); number += 1) name = `${wanted}${number}`;
    allTaken.add(name);
    return name;
  };
  let level = entryPoints;
  let others = named;
  while (level.length > 0) {
    const next = [...others];
    others = [];
    for (const { title, home, parts } of level.toSorted((a, b) => compare(a.title, b.title))) {
      for (const [part, type] of parts.toSorted(([a], [b]) => compare(a, b))) {
        const inner = namedIn(type);
        if (!inner || isNamed(inner) || names.has(inner)) continue;
        const name = unique(`${title}${pascalCase(part)}${type.kind === 'array' ? 'Item' : ''}`);
        names.set(inner, { name, home });
        next.push({ title: name, home, parts: partsOf(inner) });
      }
    }
    level = next;
  }
  return names;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
