/** Small edits of a schema's model, each with the changes that are visible to clients. */

import type { Side } from '../../generator/src/diff/change.js';
import {
  allMembers,
  isObjectType,
  isType,
  type AlternateType,
  type Command,
  type Condition,
  type Definition,
  type EnumType,
  type Feature,
  type Member,
  type NamedType,
  type ObjectType,
  type Schema,
  type StructType,
  type Type,
} from '../../generator/src/model.js';

export interface Edit {
  readonly title: string;
  /** The expected changes, such as `callers member-removed TYPE.member`. */
  readonly want: readonly string[];
  /** Edits the model in place. */
  readonly apply: () => void;
  readonly undo: () => void;
}

/** Returns one of the edits of a kind, selected by a number; undefined if the schema has no place for it. */
export type EditKind = (places: Places, at: number) => Edit | undefined;

/** The parts of a schema that can be edited. */
export interface Places {
  readonly commands: readonly Command[];
  readonly definitions: readonly Definition[];
  readonly types: readonly NamedType[];
  readonly enums: readonly EnumType[];
  readonly structs: readonly StructType[];
  readonly members: readonly Placed[];
  /** The sides that use each type. */
  readonly sides: ReadonlyMap<Type, ReadonlySet<Side>>;
}

export interface Placed {
  readonly struct: StructType;
  readonly member: Member;
  /** The name of the type with the member, such as `BlockdevOptions`; empty if it has none. */
  readonly owner: string;
}

export function placesOf(schema: Schema): Places {
  const definitions = [...schema.definitions.values()];
  const commands = definitions.filter((definition) => definition.kind === 'command');
  const sides = new Map<Type, Set<Side>>();
  const reach = (type: Type | undefined, side: Side): void => {
    if (!type || sides.get(type)?.has(side)) return;
    sides.set(type, (sides.get(type) ?? new Set()).add(side));
    if (type.kind === 'array') reach(type.element, side);
    if (type.kind === 'struct') for (const part of [type.base, ...type.members.map((m) => m.type)]) reach(part, side);
    if (type.kind === 'union') for (const part of [type.base, ...type.branches.map((b) => b.type)]) reach(part, side);
    if (type.kind === 'alternate') for (const alternative of type.alternatives) reach(alternative.type, side);
  };
  for (const definition of definitions) {
    if (definition.kind === 'command') {
      reach(definition.arguments, 'callers');
      reach(definition.returns, 'readers');
    }
    if (definition.kind === 'event') reach(definition.data, 'readers');
  }
  const types = [...sides.keys()].filter((type): type is NamedType => type.kind !== 'builtin' && type.kind !== 'array');
  const structs = types.filter((type) => type.kind === 'struct');
  const unions = types.filter((type) => type.kind === 'union');
  const owners = new Map(unions.map((union) => [union.base, union.name]));
  const discriminators = new Set(
    unions.map(({ base, discriminator }) => allMembers(base).find(({ name }) => name === discriminator.name)),
  );
  // Without its only member, a command has no result.
  const lonely = new Set(
    commands.flatMap(({ returns }) => {
      const all = returns && isObjectType(returns) ? allMembers(returns) : [];
      return all.length === 1 ? all : [];
    }),
  );
  const members = structs.flatMap((struct) => {
    const owner = struct.implicit ? (owners.get(struct) ?? '') : struct.name;
    return struct.members
      .filter((member) => !discriminators.has(member) && !lonely.has(member))
      .map((member) => ({ struct, member, owner }));
  });
  const enums = types.filter((type) => type.kind === 'enum');
  return { commands, definitions, types, structs, enums, members, sides };
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

function pick<T>(things: readonly T[], at: number): T | undefined {
  return things[at % things.length];
}

/** Returns an edit that sets one property. */
function set<T extends object, K extends keyof T>(object: T, key: K, value: T[K]): Pick<Edit, 'apply' | 'undo'> {
  const mutable = object as Mutable<T>;
  const had = Object.hasOwn(object, key);
  const before = object[key];
  return {
    apply: () => {
      mutable[key] = value;
    },
    undo: () => {
      if (had) mutable[key] = before;
      else delete mutable[key];
    },
  };
}

function bySide(places: Places, type: Type, kind: string, place: string): string[] {
  return [...(places.sides.get(type) ?? [])].map((side) => `${side} ${kind} ${place}`);
}

/** Returns an edit of a member's own properties. */
function ofMember(
  make: (placed: Placed) => { property: Partial<Member>; kind: string; end?: string } | undefined,
): EditKind {
  return (places, at) => {
    const placed = pick(places.members, at);
    const made = placed && make(placed);
    if (!made) return undefined;
    const { struct, member, owner } = placed;
    const [[key, value] = ['name', '']] = Object.entries(made.property);
    const place = `${owner}.${member.name}`;
    return {
      title: `${key} of ${place}`,
      want: bySide(places, struct, made.kind, `${place}${made.end ?? ''}`),
      ...set(member, key as 'name', value as string),
    };
  };
}

/** Returns an edit that replaces the members of a struct. */
function ofMembers(make: (placed: Placed) => { members: readonly Member[]; kind: string; name: string }): EditKind {
  return (places, at) => {
    const placed = pick(places.members, at);
    if (!placed) return undefined;
    const { members, kind, name } = make(placed);
    const place = `${placed.owner}.${name}`;
    const want = bySide(places, placed.struct, kind, place);
    return { title: `${kind} ${place}`, want, ...set(placed.struct, 'members', members) };
  };
}

const condition: Condition = { kind: 'defined', name: 'CONFIG_OF_THE_TEST' };
const feature: Feature = { name: 'of-the-test' };

function extra(isOptional: boolean): Member {
  return { name: 'of-the-test', type: { kind: 'builtin', name: 'bool' }, optional: isOptional, features: [] };
}

function anotherType({ type }: Member): Type | undefined {
  if (type.kind === 'array') return type.element;
  if (type.kind !== 'builtin') return { kind: 'array', element: type };
  return { kind: 'builtin', name: type.name === 'str' ? 'bool' : 'str' };
}

function alternateOf({ type }: Member): AlternateType | undefined {
  if (type.kind === 'alternate' || (type.kind === 'builtin' && ['any', 'null'].includes(type.name))) return undefined;
  const alternatives = [
    { name: 'it', type },
    { name: 'null', type: { kind: 'builtin', name: 'null' } as const },
  ];
  const position = { file: '', line: 1, column: 1 };
  return { kind: 'alternate', name: 'OfTheTest', module: '', position, features: [], alternatives };
}

/** Returns an edit of a command, event or type itself. */
function ofDefinition(
  make: (definition: Definition) => { property: Partial<Definition>; kind: string; end?: string } | undefined,
): EditKind {
  return (places, at) => {
    const definition = pick(places.definitions, at);
    const made = definition && make(definition);
    // Only the members of a base are visible.
    const isBase = places.types.some((type) => 'base' in type && type.base === definition);
    if (!made || isBase) return undefined;
    const { name } = definition;
    const [[key, value] = ['name', '']] = Object.entries(made.property);
    const end = made.end ?? '';
    const want = isType(definition)
      ? bySide(places, definition, made.kind, `${name}${end}`)
      : [`${definition.kind === 'event' ? 'readers' : 'callers'} ${made.kind} ${name}:${end}`];
    return { title: `${key} of ${name}`, want, ...set(definition, key as 'name', value as string) };
  };
}

function ofFlag(
  key: 'allowOob' | 'gen' | 'successResponse' | 'allowPreconfig',
  kinds: readonly [string, string],
): EditKind {
  return (places, at) => {
    // A command without arguments accepts no further arguments either.
    const candidates = key === 'gen' ? places.commands.filter((command) => command.arguments) : places.commands;
    const command = pick(candidates, at);
    if (!command) return undefined;
    const side = key === 'successResponse' ? 'readers' : 'callers';
    const want = [`${side} ${kinds[Number(command[key])]} ${command.name}:`];
    return { title: `${key} of ${command.name}`, want, ...set(command, key, !command[key]) };
  };
}

/** Returns an edit that is invisible to clients. */
function unseen(
  make: (places: Places, at: number) => { title: string; edits: Pick<Edit, 'apply' | 'undo'>[] },
): EditKind {
  return (places, at) => {
    const { title, edits } = make(places, at);
    return {
      title,
      want: [],
      apply: () => edits.forEach((edit) => edit.apply()),
      undo: () => edits.toReversed().forEach((edit) => edit.undo()),
    };
  };
}

function rotated<T>(things: readonly T[], by: number): T[] {
  const at = things.length === 0 ? 0 : by % things.length;
  return [...things.slice(at), ...things.slice(0, at)];
}

export const editKinds: Readonly<Record<string, EditKind>> = {
  'member dropped': ofMembers(({ struct, member }) => ({
    members: struct.members.filter((other) => other !== member),
    kind: 'member-removed',
    name: member.name,
  })),
  'mandatory member': ofMembers(({ struct }) => ({
    members: [...struct.members, extra(false)],
    kind: 'member-added',
    name: 'of-the-test',
  })),
  'optional member': ofMembers(({ struct }) => ({
    members: [extra(true), ...struct.members],
    kind: 'member-added',
    name: 'of-the-test',
  })),
  need: ofMember(({ member }) => ({
    property: { optional: !member.optional },
    kind: member.optional ? 'member-mandatory' : 'member-optional',
  })),
  'type of a member': ofMember(({ member }) => {
    const type = anotherType(member);
    return type && { property: { type }, kind: 'type-changed' };
  }),
  'alternate for a type': ofMember(({ member }) => {
    const type = alternateOf(member);
    return type && { property: { type }, kind: 'type-changed' };
  }),
  'width of an integer': ofMember(({ member: { type } }) => {
    if (type.kind !== 'builtin' || !/^u?int(?!8$)|^size$/u.test(type.name)) return undefined;
    return { property: { type: { kind: 'builtin', name: 'int8' } }, kind: 'type-changed' };
  }),
  'feature of a member': ofMember(({ member }) => ({
    property: { features: [...member.features, feature] },
    kind: 'feature-added',
    end: '/of-the-test',
  })),
  'condition of a member': ofMember((placed) =>
    placed.member.condition ? undefined : { property: { condition }, kind: 'condition-changed' },
  ),
  'new value': (places, at) => {
    const type = pick(places.enums, at);
    if (!type) return undefined;
    const want = bySide(places, type, 'value-added', `${type.name}=of-the-test`);
    return { title: type.name, want, ...set(type, 'values', [...type.values, { name: 'of-the-test', features: [] }]) };
  },
  'value dropped': (places, at) => {
    const type = pick(places.enums, at);
    const value = type && pick(type.values, at);
    if (!value) return undefined;
    const want = bySide(places, type, 'value-removed', `${type.name}=${value.name}`);
    return {
      title: type.name,
      want,
      ...set(
        type,
        'values',
        type.values.filter((other) => other !== value),
      ),
    };
  },
  'feature of a value': (places, at) => {
    const type = pick(places.enums, at);
    const value = type && pick(type.values, at);
    if (!value) return undefined;
    const want = bySide(places, type, 'feature-added', `${type.name}=${value.name}/of-the-test`);
    return { title: type.name, want, ...set(value, 'features', [...value.features, feature]) };
  },
  'condition of a value': (places, at) => {
    const type = pick(places.enums, at);
    const value = type && pick(type.values, at);
    if (!value || value.condition) return undefined;
    const want = bySide(places, type, 'condition-changed', `${type.name}=${value.name}`);
    return { title: type.name, want, ...set(value, 'condition', condition) };
  },
  'feature of a definition': ofDefinition(({ features }) => ({
    property: { features: [...features, feature] },
    kind: 'feature-added',
    end: '/of-the-test',
  })),
  'condition of a command or event': ofDefinition((definition) =>
    definition.condition || isType(definition) ? undefined : { property: { condition }, kind: 'condition-changed' },
  ),
  'out of band': ofFlag('allowOob', ['oob-granted', 'oob-withdrawn']),
  'further arguments': ofFlag('gen', ['further-arguments-changed', 'further-arguments-changed']),
  reply: ofFlag('successResponse', ['reply-changed', 'reply-changed']),
  preconfig: ofFlag('allowPreconfig', ['preconfig-granted', 'preconfig-withdrawn']),
  'name of a type': unseen(({ types }, at) => {
    const type = pick(types, at);
    return { title: `name of ${type?.name}`, edits: type ? [set(type, 'name', 'OfTheTest')] : [] };
  }),
  'names of all types': unseen(({ types }, at) => ({
    title: 'all names',
    edits: types.map((type, index) => set(type, 'name', `OfTheTest${(index * 7919 + at) % types.length}`)),
  })),
  'order of all things': unseen(({ types }, at) => ({
    title: 'order',
    edits: types.map((type) => {
      if (type.kind === 'enum') return set(type, 'values', rotated(type.values, at));
      if (type.kind === 'struct') return set(type, 'members', rotated(type.members, at));
      if (type.kind === 'union') return set(type, 'branches', rotated(type.branches, at));
      return set(type, 'alternatives', rotated(type.alternatives, at));
    }),
  })),
  'base written out': unseen(({ structs }, at) => {
    const struct = pick(
      structs.filter(({ base }) => base),
      at,
    );
    if (!struct) return { title: 'none', edits: [] };
    const members = allMembers(struct);
    return { title: `base of ${struct.name}`, edits: [set(struct, 'members', members), dropBase(struct)] };
  }),
  'members moved to a base': unseen(({ structs }, at) => {
    const struct = pick(
      structs.filter(({ base, members }) => !base && members.length > 0),
      at,
    );
    if (!struct) return { title: 'none', edits: [] };
    const half = Math.ceil(struct.members.length / 2);
    const { implicit: _, ...named } = struct;
    const base: StructType = { ...named, name: 'OfTheTest', features: [], members: struct.members.slice(0, half) };
    const edits = [
      set(struct as Mutable<StructType>, 'base', base),
      set(struct, 'members', struct.members.slice(half)),
    ];
    return { title: `base for ${struct.name}`, edits };
  }),
  'members of a base moved to all branches': unseen(({ types, sides }, at) => {
    const unions = types.filter((type) => type.kind === 'union');
    const union = pick(
      unions.filter(({ base, branches }) => base.implicit && !branches.some(({ type }) => type?.kind === 'union')),
      at,
    );
    if (!union || !sides.has(union)) return { title: 'none', edits: [] };
    const isTag = ({ name }: Member): boolean => name === union.discriminator.name;
    const moved = union.base.members.filter((member) => !isTag(member));
    const { implicit: _, ...named } = union.base;
    const branches = union.branches.map((branch) => {
      const members = branch.type ? allMembers(branch.type) : [];
      const features = branch.type?.features ?? [];
      const type: ObjectType = { ...named, name: 'OfTheTest', features, members: [...members, ...moved] };
      return { ...branch, type };
    });
    const edits = [set(union, 'branches', branches), set(union.base, 'members', union.base.members.filter(isTag))];
    return { title: `branches of ${union.name}`, edits };
  }),
};

function dropBase(struct: StructType): Pick<Edit, 'apply' | 'undo'> {
  const mutable = struct as Mutable<StructType>;
  const { base } = struct;
  return {
    apply: () => {
      delete mutable.base;
    },
    undo: () => {
      if (base) mutable.base = base;
    },
  };
}
