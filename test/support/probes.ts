/**
 * Generates programs from a comparison. For each breaking or notable change, there is a function for each way in which
 * a program can meet it, and siblings that use the same command or event without meeting it. Each function is one line.
 */

import { formatUse, type Change, type Use } from '../../generator/src/diff/change.js';
import {
  empty,
  type WireEnum,
  type WireMember,
  type WireObject,
  type WireSchema,
  type WireType,
} from '../../generator/src/diff/wire.js';
import { Names } from '../../generator/src/emit/names.js';
import type { Command, Schema } from '../../generator/src/model.js';

export interface Probe {
  readonly change: Change;
  readonly way: string;
  readonly meets: boolean;
  readonly text: string;
}

interface Step {
  readonly guards: readonly (readonly [name: string, value: string])[];
  /** Absent for a step into a branch. */
  readonly member?: string;
}

type Value = string | number | boolean | null | readonly Value[] | { [name: string]: Value };
type Fields = { [name: string]: Value };

export const probeHeader = `import { Client, type Commands } from 'probed'; declare const vm: Client; declare function use(value: string | number | bigint | boolean | null | undefined | object[]): void; declare function pick<T, K extends string, V extends string>(value: T, key: K, is: V): Extract<T, { [k in K]: V }>; declare function object<T>(value: T): Extract<T, object>;`;

export function probesOf(
  changes: readonly Change[],
  old: Schema,
  wires: { old: WireSchema; newer: WireSchema },
): Probe[] {
  const maker = new ProbeMaker(changes, old, wires);
  return changes.filter(({ verdict }) => verdict !== 'harmless').flatMap((change) => maker.probes(change));
}

/** Values of built-in types. For all others, a number is used. */
const builtinValues: ReadonlyMap<string, Value> = new Map<string, Value>([
  ['str', 'some'],
  ['bool', true],
  ['any', {}],
  ['null', null],
]);

class ProbeMaker {
  readonly #names: Names;
  /** The names of changed members and values, which siblings avoid. */
  readonly #changed: ReadonlySet<string>;

  constructor(
    changes: readonly Change[],
    readonly schema: Schema,
    readonly wires: { old: WireSchema; newer: WireSchema },
  ) {
    this.#names = new Names(schema);
    const worse = changes.filter(({ verdict }) => verdict !== 'harmless');
    this.#changed = new Set(
      worse.flatMap(({ place, uses: [use] }) => [
        place.member ?? '',
        place.value ?? '',
        stepsOf(use).at(-1)?.member ?? '',
      ]),
    );
  }

  probes(change: Change): Probe[] {
    const [use] = change.uses;
    const ways = use.subject === 'event' ? this.#event(change, use) : this.#command(change, use);
    return Object.entries(ways).map(([way, text]) => {
      return { change, way, meets: !way.startsWith('sibling'), text: text.replaceAll('\n', ' ') };
    });
  }

  // Commands

  #command(change: Change, use: Use): Record<string, string> {
    const command = this.wires.old.commands.get(use.name);
    if (!command) return {};
    const call = (args: Fields): string => `vm.${this.#method(use.name)}(${JSON.stringify(args)})`;
    if (use.role === undefined && change.kind !== 'further-arguments-changed')
      return this.#named(use.name, this.#minimal(command.arguments) as Fields);
    if (use.role === 'result') {
      const args = this.#minimal(command.arguments) as Fields;
      const ways = this.#reading(
        change,
        use,
        command.result,
        `(await ${call(args)})`,
        `(await vm.execute('${use.name}', ${JSON.stringify(args)}))`,
      );
      return { ...ways, sibling: ways['sibling'] ?? `await ${call(args)};` };
    }
    const made = this.#arguments(change, use, command.arguments);
    return made ? this.#calling(use.name, made.meeting, made.sibling) : {};
  }

  #named(name: string, args: Fields): Record<string, string> {
    const [method, text] = [this.#method(name), JSON.stringify(args)];
    return {
      method: `await vm.${method}(${text});`,
      execute: `await vm.execute('${name}', ${text});`,
      destructuring: `const { ${method}: it } = vm; void it;`,
      variable: `const it = '${name}'; await vm.execute(it, ${text});`,
      spread: `await vm.${method}({ ...${text} });`,
      callback: `await Promise.all([0].map(() => vm.${method}(${text})));`,
      template: `use(\`\${typeof (await vm.${method}(${text}))}\`);`,
      '?.': `await vm?.${method}(${text});`,
      raw: `await vm.executeRaw('${name}', ${text});`,
      sibling: `await vm.queryVersion();`,
    };
  }

  #calling(name: string, meeting: Fields, sibling: Fields): Record<string, string> {
    const [method, text, other] = [this.#method(name), JSON.stringify(meeting), JSON.stringify(sibling)];
    const type = `Commands['${name}']['arguments']`;
    return {
      method: `await vm.${method}(${text});`,
      execute: `await vm.execute('${name}', ${text});`,
      destructuring: `const { args } = { args: ${text} as const }; await vm.${method}(args);`,
      literal: `const args: ${type} = ${text}; await vm.${method}(args);`,
      variable: `const args = ${text} as const; await vm.${method}(args);`,
      satisfies: `const args = ${text} satisfies ${type}; await vm.execute('${name}', args);`,
      spread: `const part = ${text} as const; await vm.${method}({ ...part });`,
      callback: `await Promise.all([0].map(() => vm.${method}(${text})));`,
      '?.': `await vm?.${method}?.(${text});`,
      raw: `await vm.executeRaw('${name}', ${text});`,
      'sibling literal': `await vm.${method}(${other});`,
      'sibling variable': `const args = ${other} as const; await vm.${method}(args);`,
      'sibling execute': `await vm.execute('${name}', ${other});`,
    };
  }

  /** Returns arguments that meet a change, and others that do not. */
  #arguments(change: Change, use: Use, type: WireObject): { meeting: Fields; sibling: Fields } | undefined {
    if (change.kind === 'further-arguments-changed') {
      const sibling = this.#minimal(type) as Fields;
      return { meeting: { ...sibling, 'x-further': 1 }, sibling };
    }
    const build = (last: (owner: Fields, name: string, current: Value | undefined) => void): Fields => {
      const whole = this.#minimal(type) as Fields;
      this.#reach(whole, type, stepsOf(use), last);
      return whole;
    };
    const { place, kind } = change;
    const newMember = this.#newType(use);
    const wrapped = (value: Value, current: Value | undefined): Value =>
      Array.isArray(current) || isElement(use) ? [value] : value;
    if (kind === 'member-added' || kind === 'member-mandatory') {
      return {
        meeting: build((owner, name) => delete owner[name]),
        sibling: build((owner, name) => {
          owner[name] = this.#minimal(newMember ?? { kind: 'builtin', name: 'str' });
        }),
      };
    }
    if (place.value !== undefined) {
      const { value } = place;
      return {
        meeting: build((owner, name, current) => {
          owner[name] = wrapped(value, current);
        }),
        sibling: build((owner, name, current) => {
          if (current === undefined || isElement(use)) delete owner[name];
        }),
      };
    }
    const old = this.#oldType(use);
    return {
      meeting: build((owner, name) => {
        owner[name] =
          kind === 'type-changed' && isNumber(old)
            ? -1
            : kind === 'type-changed'
              ? 'anything'
              : this.#minimal(old ?? { kind: 'builtin', name: 'str' });
      }),
      sibling: build((owner, name, current) => {
        if (kind === 'type-changed' && current !== undefined)
          owner[name] = this.#minimal(newMember ?? { kind: 'builtin', name: 'str' });
        else delete owner[name];
      }),
    };
  }

  /** Follows a path, and creates the objects on the way. */
  #reach(
    owner: Fields,
    type: WireObject,
    [step, ...others]: readonly Step[],
    last: (owner: Fields, name: string, current: Value | undefined) => void,
  ): void {
    if (!step) return;
    let at = type;
    for (const [name, value] of step.guards) {
      owner[name] = value;
      for (let branch = at.branches.get(value); branch; branch = undefined) {
        at = { ...branch.type, members: new Map([...at.members, ...branch.type.members]) };
        Object.assign(owner, { ...(this.#minimal(at) as Fields), ...owner });
      }
    }
    if (step.member === undefined) {
      const [name, value] = step.guards.at(-1) ?? ['', ''];
      last(owner, name, value);
      return;
    }
    const member = at.members.get(step.member);
    if (others.length === 0) return last(owner, step.member, owner[step.member]);
    const inner = member && this.#object(member.type);
    if (!inner) return;
    const child = this.#minimal(inner) as Fields;
    owner[step.member] = isList(member.type) ? [child] : child;
    this.#reach(child, inner, others, last);
  }

  // Events

  #event(change: Change, use: Use): Record<string, string> {
    const event = this.wires.old.events.get(use.name);
    if (!event) return {};
    if (use.role === undefined) {
      return {
        callback: `vm.on('${use.name}', () => {});`,
        once: `vm.once('${use.name}', () => {});`,
        iterator: `for await (const one of vm.events(['${use.name}'])) { void one; break; }`,
        variable: `const name = '${use.name}'; vm.on(name, () => {});`,
        until: `await vm.queryVersion({}, { until: ['${use.name}'] });`,
        sibling: `vm.on('STOP', () => {});`,
      };
    }
    const read = (body: (data: string) => string): string =>
      `vm.on('${use.name}', (event) => { ${body('event.data')} });`;
    const direct = this.#reading(change, use, event.data, 'event.data', 'event.data');
    const ways = Object.fromEntries(Object.entries(direct).map(([way, text]) => [way, read(() => text)]));
    return {
      ...ways,
      iterator: `for await (const event of vm.events(['${use.name}'])) { ${direct['method']} }`,
      sibling: direct['sibling'] ? (ways['sibling'] ?? '') : `vm.on('${use.name}', () => {});`,
    };
  }

  // Reading

  #reading(change: Change, use: Use, type: WireType, root: string, other: string): Record<string, string> {
    const steps = stepsOf(use);
    const { value } = change.place;
    const isCompared = value !== undefined && change.kind !== 'value-added';
    const take = (expression: string): string => {
      const read = isElement(use) && steps.length > 0 ? `${expression}![0]!` : expression;
      return isCompared ? `use(${read} === '${value}');` : `void ${read};`;
    };
    const parent = (from: string): string => this.#expression(from, type, steps.slice(0, -1), steps.at(-1));
    const last = steps.at(-1)?.member;
    if (last === undefined) {
      const element = isElement(use) ? `${root}[0]!` : root;
      return {
        method: `const it = ${element}; void it;`,
        execute: `const it = ${isElement(use) ? `${other}[0]!` : other}; void it;`,
      };
    }
    const key = JSON.stringify(last);
    const owner = this.#ownerType(type, steps);
    const sibling = [...(owner?.members.keys() ?? [])].find(
      (name) => name !== last && name !== owner?.discriminator && !this.#changed.has(name),
    );
    return {
      method: take(`${parent(root)}[${key}]`),
      execute: take(`${parent(other)}[${key}]`),
      destructuring: `const { ${key}: it } = ${parent(root)}; ${take('it')}`,
      variable: `const it = ${parent(root)}; ${take(`it[${key}]`)}`,
      spread: `const it = { ...${parent(root)} }; ${take(`it[${key}]`)}`,
      callback: `const all = [${parent(root)}]; ${isCompared ? `all.forEach((one) => { ${take(`one[${key}]`)} });` : `void all.map((one) => one[${key}]);`}`,
      template: isCompared
        ? `switch (${parent(root)}[${key}]${isElement(use) ? '![0]!' : ''}) { case '${value}': break; }`
        : `use(\`\${${parent(root)}[${key}]}\`);`,
      '?.': take(`${parent(root)}?.[${key}]`),
      ...(sibling === undefined ? {} : { sibling: `void ${parent(root)}[${JSON.stringify(sibling)}];` }),
    };
  }

  /** Returns an expression that follows steps, and narrows to the branch of the next step. */
  #expression(root: string, type: WireType, steps: readonly Step[], next: Step | undefined): string {
    let expression = root;
    let at: WireType | undefined = type;
    const enter = (guards: Step['guards']): void => {
      while (at?.kind === 'array') {
        expression = `${expression}[0]!`;
        at = at.element;
      }
      if (at?.kind === 'alternate') expression = `object(${expression})`;
      let object = at && this.#object(at);
      for (const [name, value] of guards) {
        const branch = object?.branches.get(value);
        if (!branch || !object) continue;
        expression = `pick(${expression}, '${name}', '${value}')`;
        object = { ...branch.type, members: new Map([...object.members, ...branch.type.members]) };
      }
      at = object;
    };
    for (const { guards, member } of steps) {
      enter(guards);
      if (member === undefined) continue;
      const found: WireMember | undefined = at?.kind === 'object' ? at.members.get(member) : undefined;
      expression = `${expression}[${JSON.stringify(member)}]${found?.optional ? '!' : ''}`;
      at = found?.type;
    }
    if (next) enter(next.guards);
    return expression;
  }

  // Types

  #ownerType(type: WireType, steps: readonly Step[]): WireObject | undefined {
    let at = this.#object(type);
    for (const [index, { guards, member }] of steps.entries()) {
      for (const [, value] of guards) {
        const branch = at?.branches.get(value);
        if (at && branch) at = { ...branch.type, members: new Map([...at.members, ...branch.type.members]) };
      }
      if (index === steps.length - 1) return at;
      const found = member === undefined ? undefined : at?.members.get(member);
      at = found && this.#object(found.type);
    }
    return at;
  }

  #memberType(wire: WireSchema, use: Use): WireType | undefined {
    const root = wire.commands.get(use.name)?.arguments;
    const steps = stepsOf(use);
    const owner = root && this.#ownerType(root, steps);
    return owner?.members.get(steps.at(-1)?.member ?? '')?.type;
  }

  #oldType(use: Use): WireType | undefined {
    return this.#memberType(this.wires.old, use);
  }

  #newType(use: Use): WireType | undefined {
    return this.#memberType(this.wires.newer, use);
  }

  #object(type: WireType): WireObject | undefined {
    if (type.kind === 'array') return this.#object(type.element);
    if (type.kind === 'alternate')
      return type.alternatives.map((one) => one.type).find((one): one is WireObject => one.kind === 'object');
    return type.kind === 'object' ? type : undefined;
  }

  /** Returns a value of a type without optional members. */
  #minimal(type: WireType, depth = 0): Value {
    switch (type.kind) {
      case 'builtin':
        return builtinValues.get(type.name) ?? 1;
      case 'array':
        return [];
      case 'enum':
        return this.#choose(type);
      case 'alternate':
        return this.#minimal(
          type.alternatives.find((one) => one.type.kind === 'builtin')?.type ?? type.alternatives[0]?.type ?? empty,
          depth,
        );
      case 'object': {
        const fields: Fields = {};
        if (depth > 6) return fields;
        for (const { name, type: inner, optional } of type.members.values()) {
          if (!optional) fields[name] = this.#minimal(inner, depth + 1);
        }
        const chosen = fields[type.discriminator ?? ''];
        const branch = typeof chosen === 'string' ? type.branches.get(chosen) : undefined;
        return branch ? { ...(this.#minimal(branch.type, depth + 1) as Fields), ...fields } : fields;
      }
    }
  }

  /** Returns an unchanged value of an enum, if there is one. */
  #choose(type: WireEnum): string {
    const values = [...type.values.keys()];
    return values.find((value) => !this.#changed.has(value)) ?? values[0] ?? '';
  }

  #method(name: string): string {
    return this.#names.method(this.schema.definitions.get(name) as Command);
  }
}

function isList(type: WireType): boolean {
  return type.kind === 'array';
}

function isNumber(type: WireType | undefined): boolean {
  return type?.kind === 'builtin' && !['str', 'bool', 'null', 'any'].includes(type.name);
}

/** Joins each step into a branch with that to the member after it. */
function stepsOf({ path: { steps } }: Use): Step[] {
  const found: Step[] = [];
  let guards: Step['guards'] = [];
  for (const step of steps) {
    if (step.kind === 'branch') guards = step.choices.map(({ discriminator, value }) => [discriminator, value]);
    if (step.kind !== 'member') continue;
    found.push({ guards, member: step.name });
    guards = [];
  }
  return guards.length > 0 ? [...found, { guards }] : found;
}

function isElement({ path }: Use): boolean {
  return path.steps.at(-1)?.kind === 'elements';
}

export function titleOf({ change, way }: Probe): string {
  return `${change.kind} ${formatUse(change.uses[0])} ${change.place.value ?? ''} (${way})`;
}

/** Returns whether a probe may also meet another change, because the other change is on its path. */
export function mayMeet({ change, text }: Probe, other: Change): boolean {
  const names = (use: Use): string =>
    stepsOf(use)
      .map(({ member }) => `.${member}`)
      .join('');
  return other.uses.some((use) =>
    change.uses.some((own) => {
      const { subject, name, role } = use;
      if (own.subject !== subject || own.name !== name) return false;
      // Arguments have all mandatory members, and otherwise only those on the path.
      if (role !== 'result' && role !== 'data') {
        const isLacking = other.kind === 'member-added' || other.kind === 'member-mandatory';
        const part = other.place.value ?? other.place.member;
        return part === undefined || isLacking || text.includes(`"${part}"`);
      }
      return names(own).startsWith(names(use));
    }),
  );
}
