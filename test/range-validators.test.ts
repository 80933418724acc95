/** Validators of a range: they accept what those of any version accept, and require what all require. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { embeddedRoot, servers } from '../generator/src/embedded.js';
import { loadSchema } from '../generator/src/frontend/load.js';
import {
  allMembers,
  takesFurtherArguments,
  type Command,
  type Event,
  type Schema,
  type Type,
} from '../generator/src/model.js';
import { merge } from '../generator/src/model/merge.js';
import { versionsInRange } from '../generator/src/sources/range.js';
import type { Validator } from '../runtime/src/index.js';
import { argumentsOf, dataOf, resultOf, Values } from './support/arbitrary.js';
import { generatedPackage } from './support/generated.js';

interface Package {
  readonly validators: {
    readonly commands: Readonly<
      Record<string, { readonly arguments: Validator<unknown>; readonly result: Validator<unknown> }>
    >;
    readonly events: Readonly<Record<string, Validator<unknown>>>;
  };
}

/** A type that a version sends or receives, with the validator of the range. */
interface Place {
  readonly title: string;
  readonly type: Type;
  readonly validator: Validator<unknown>;
}

function placesOf({ definitions }: Schema, { validators }: Package): Place[] {
  return [...definitions.values()].flatMap((definition): Place[] => {
    const { name } = definition;
    const event = validators.events[name];
    const command = validators.commands[name];
    if (definition.kind === 'event' && event) return [{ title: name, type: dataOf(definition), validator: event }];
    if (definition.kind !== 'command' || !command) return [];
    return [
      { title: `arguments of ${name}`, type: argumentsOf(definition), validator: command.arguments },
      { title: `result of ${name}`, type: resultOf(definition), validator: command.result },
    ];
  });
}

const options = { numRuns: 6, seed: 20_261_121 };

const ranges = ['5.2..11.1', '7.2..11.1', '7.2..10.0'];

describe.each(ranges)('the validators of %s', (range) => {
  it.each(servers)('accept what each version does: $title', { timeout: 120_000 }, async (server) => {
    const versioned = versionsInRange(range).map((version) => ({
      version,
      schema: loadSchema(embeddedRoot(version, server)),
    }));
    const generated = (await generatedPackage(merge(versioned))) as Package;
    for (const { version, schema } of versioned) {
      const values = new Values({ depth: 5 });
      for (const { title, type, validator } of placesOf(schema, generated)) {
        const check = (value: unknown): void => {
          if (!validator(value)) expect(validator.issues(value), `${title} of ${version}`).toEqual([]);
        };
        fc.assert(fc.property(values.valid(type), check), options);
      }
    }
  });

  it('require the arguments that all versions require', async () => {
    const [server] = servers;
    if (!server) throw new Error('there are no servers');
    const versioned = versionsInRange(range).map((version) => ({
      version,
      schema: loadSchema(embeddedRoot(version, server)),
    }));
    const merged = merge(versioned);
    const { validators } = (await generatedPackage(merged)) as Package;
    const missed: string[] = [];
    let count = 0;
    for (const [name, { arguments: validator }] of Object.entries(validators.commands)) {
      const commands = versioned.flatMap(({ schema }) => commandIn(schema, name));
      // What takes anything in some version cannot be validated by any.
      if (commands.some(takesFurtherArguments)) continue;
      for (const member of mandatoryIn(commands)) {
        count += 1;
        const value = new Values().valid(argumentsOf(commands[0] as Command)).map((valid) => without(valid, member));
        const isMissed = fc.sample(value, options).some((lacking) => validator(lacking));
        if (isMissed) missed.push(`${name}: ${member}`);
      }
    }
    expect(missed).toEqual([]);
    expect(count).toBeGreaterThan(100);
  });
});

function commandIn({ definitions }: Schema, name: string): Command[] {
  const definition: Command | Event | undefined = [...definitions.values()].find(
    (one): one is Command => one.kind === 'command' && one.name === name,
  );
  return definition ? [definition] : [];
}

/** Returns the names of the arguments that all versions of a command require. */
function mandatoryIn(commands: readonly Command[]): string[] {
  const sets = commands.map((command) => {
    return new Set(allMembers(argumentsOf(command)).flatMap(({ name, optional }) => (optional ? [] : [name])));
  });
  return [...(sets[0] ?? [])].filter((name) => sets.every((set) => set.has(name)));
}

function without(value: unknown, member: string): unknown {
  return Object.fromEntries(Object.entries(value as object).filter(([name]) => name !== member));
}
