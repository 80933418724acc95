/** What a program uses of generated code. */

import type { Use } from '../change.js';

/** A place in a program. Lines and columns count from 1. */
export interface Location {
  /** Relative to the current folder. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export interface NameUse {
  /** On the wire. */
  readonly name: string;
  readonly at: Location;
  /** Of a command: called without arguments. */
  readonly isBare: boolean;
  /** The name is only that of a method that generated code does not have. */
  readonly isMethod: boolean;
}

/** Names a thing of generated code in the whole program: the folder of that code, and what it is called there. */
export type Key = string;

export type Access = 'reads' | 'writes';

export interface MemberUse {
  readonly key: Key;
  /** In generated code: `BlockInfo.device`. */
  readonly member: string;
  readonly access: Access;
  readonly at: Location;
}

/** An enum value that the program writes: to pass it, or to compare with it. */
export interface ValueUse {
  /** Of the enum. */
  readonly key: Key;
  /** In generated code: `RunState`. */
  readonly enum: string;
  readonly value: string;
  /** Whether it is compared or passed; absent when it is not known yet where it is written. */
  readonly access?: Access;
  readonly at: Location;
}

/** Where the program makes an object of a generated type. */
export interface Construction {
  /** Of the interfaces that it may be of: several where the discriminator is not known. */
  readonly keys: readonly Key[];
  /** What it has in any case. */
  readonly members: ReadonlySet<string>;
  readonly at: Location;
}

/** What of the schema a thing may concern. */
export interface Scope {
  /** Members, types and enums that may be read there, or written. */
  readonly reads?: ReadonlySet<Key>;
  readonly writes?: ReadonlySet<Key>;
  /** The command whose arguments or result it is. */
  readonly command?: string;
  readonly roles?: readonly Use['role'][];
}

/** A place that could not be followed. */
export interface Unclear extends Location {
  /** Why: a sentence without its end. */
  readonly text: string;
  readonly scope: Scope;
}

/** What a path of a change leads to. */
export interface Found {
  /** It is the arguments, result or data as a whole, or an element of them. */
  readonly isWhole: boolean;
  /** The member at its end, as generated code declares it: nothing where that has none. */
  readonly members: ReadonlySet<Key>;
  /** The interfaces that have it, or would have it. */
  readonly owners: ReadonlySet<Key>;
  /** The enums that are at its end; of the discriminator, when it ends with a branch. */
  readonly enums: ReadonlySet<Key>;
  /** The discriminator's value, when it ends with a branch. */
  readonly branch?: string;
}

/** All lists are in the order of their places. */
export interface Usage {
  /** The folders of the generated code that the program imports. When there is none, all that follows is empty. */
  readonly packages: readonly string[];
  readonly commands: readonly NameUse[];
  readonly events: readonly NameUse[];
  readonly members: readonly MemberUse[];
  readonly values: readonly ValueUse[];
  readonly constructions: readonly Construction[];
  readonly unclear: readonly Unclear[];
  /** Follows the path of a change in the generated code. */
  readonly find: (use: Use) => Found;
}
