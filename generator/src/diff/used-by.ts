/** What of a comparison touches a program: `--used-by TSCONFIG`. */

import type { Change, Use } from './change.js';
import { compareLocations } from './used-by/findings.js';
import { plainName } from './used-by/generated.js';
import { readPrograms } from './used-by/program.js';
import type { Found, Key, Location, NameUse, Usage } from './used-by/usage.js';

export type { Construction, Location, MemberUse, NameUse, Unclear, Usage, ValueUse } from './used-by/usage.js';

/**
 * Reads a program, and those that its configuration refers to.
 *
 * @param tsconfig the path of the configuration, or of the folder with its `tsconfig.json`
 * @throws FileError when it cannot be read; UsageError when it is none
 */
export function usage(tsconfig: string): Usage {
  return readPrograms(tsconfig);
}

interface Touch {
  readonly change: Change;
  /** In the order of files and lines. */
  readonly at: readonly Location[];
}

/** Those of the changes that the program meets, and where. */
export function touching(changes: readonly Change[], program: Usage): Touch[] {
  return changes.flatMap((change) => {
    const found = change.uses.flatMap((use) => meetings(change, use, program));
    // One for each line.
    const at = new Map(
      found
        .toSorted((a, b) => compareLocations(b, a))
        .map(({ file, line, column }) => [`${file}:${line}`, { file, line, column }]),
    );
    return at.size === 0 ? [] : [{ change, at: [...at.values()].toReversed() }];
  });
}

/** What nobody can have used before it was there. */
const grants: ReadonlySet<Change['kind']> = new Set(['oob-granted', 'preconfig-granted']);

function meetings(change: Change, use: Use, program: Usage): Location[] {
  const names = use.subject === 'command' ? program.commands : program.events;
  const subjects = names.filter(({ name, isMethod }) =>
    isMethod ? plainName(name) === plainName(use.name) : name === use.name,
  );
  if (subjects.length === 0 || grants.has(change.kind)) return [];
  if (use.role === undefined) return subjects.map(({ at }) => at);
  const found = program.find(use);
  const seen = seenAt(change, use, found, subjects, program);
  // What is harmless need not be suspected where nothing is seen.
  return change.verdict === 'harmless' ? seen : [...seen, ...suspectedAt(use, found, program)];
}

function seenAt(
  { kind, verdict, place }: Change,
  use: Use,
  found: Found,
  subjects: readonly NameUse[],
  program: Usage,
): Location[] {
  const isOfArguments = use.role === 'arguments';
  if (isOfArguments && verdict === 'breaking' && (kind === 'member-added' || kind === 'member-mandatory')) {
    return lackingAt(place.member ?? '', use, found, subjects, program);
  }
  const access = isOfArguments ? 'writes' : 'reads';
  // Whoever reads an enum may read any value, a new one, too.
  const value = kind === 'value-added' && !isOfArguments ? undefined : (place.value ?? found.branch);
  if (value !== undefined) {
    return program.values
      .filter((one) => one.value === value && (one.access ?? access) === access && found.enums.has(one.key))
      .map(({ at }) => at);
  }
  if (found.isWhole) return subjects.map(({ at }) => at);
  return program.members.filter((one) => one.access === access && found.members.has(one.key)).map(({ at }) => at);
}

/** Where arguments, or an object within them, are made without a member. */
function lackingAt(
  member: string,
  { path }: Use,
  { owners }: Found,
  subjects: readonly NameUse[],
  program: Usage,
): Location[] {
  const isOfWhole = path === '' || path === `.${member}`;
  // Of a command that has no arguments in generated code, or of one that has, but the call gives none.
  const calls = isOfWhole ? subjects.filter(({ isBare }) => isBare || owners.size === 0) : [];
  const objects = program.constructions.filter(
    ({ keys, members }) => keys.some((key) => owners.has(key)) && !members.has(member),
  );
  return [...calls, ...objects].map(({ at }) => at);
}

/** Places that could not be followed. */
function suspectedAt({ subject, name, role }: Use, { members, owners, enums }: Found, program: Usage): Location[] {
  const keys: ReadonlySet<Key> = new Set([...members, ...owners, ...enums]);
  return program.unclear.filter(({ scope }) => {
    if (subject === 'command' && scope.command === name && scope.roles?.includes(role)) return true;
    const suspects = (role === 'arguments' ? scope.writes : scope.reads) ?? new Set<Key>();
    return [...keys].some((key) => suspects.has(key));
  });
}
