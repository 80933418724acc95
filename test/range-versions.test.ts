/** The types of a range, narrowed to each of its versions, are those of that version. */

import fc from 'fast-check';
import { expect, it } from 'vitest';

import { embeddedRoot, servers } from '../generator/src/embedded.js';
import { loadSchema } from '../generator/src/frontend/load.js';
import { takesFurtherArguments, type Schema, type Type } from '../generator/src/model.js';
import { merge } from '../generator/src/model/merge.js';
import { versionsInRange } from '../generator/src/sources/range.js';
import type { Issue, Validator } from '../runtime/src/index.js';
import type { InspectOptions } from '../runtime/src/inspect.js';
import type { Type as RuntimeType } from '../runtime/src/type.js';
import { argumentsOf, dataOf, resultOf, Values } from './support/arbitrary.js';
import { flawsOfJson } from './support/flaws.js';
import { generatedPackage } from './support/generated.js';

interface Package {
  readonly validators: {
    readonly commands: Readonly<
      Record<string, { readonly arguments: Validator<unknown>; readonly result: Validator<unknown> }>
    >;
    readonly events: Readonly<Record<string, Validator<unknown>>>;
  };
  readonly forVersions: (type: RuntimeType, versions: readonly string[]) => RuntimeType;
  readonly inspect: (
    type: RuntimeType,
    value: unknown,
    options: InspectOptions,
  ) => { readonly issues: readonly Issue[] };
}

interface Place {
  readonly title: string;
  readonly type: Type;
  readonly direction: 'in' | 'out';
  readonly further: boolean;
  readonly of: (generated: Package) => Validator<unknown> | undefined;
}

function placesOf({ definitions }: Schema): Place[] {
  return [...definitions.values()].flatMap((definition): Place[] => {
    const { name } = definition;
    if (definition.kind === 'event') {
      const of = ({ validators }: Package): Validator<unknown> | undefined => validators.events[name];
      return [{ title: name, type: dataOf(definition), direction: 'in', further: false, of }];
    }
    if (definition.kind !== 'command') return [];
    const further = takesFurtherArguments(definition);
    return [
      {
        title: `arguments of ${name}`,
        type: argumentsOf(definition),
        direction: 'out',
        further,
        of: ({ validators }) => validators.commands[name]?.arguments,
      },
      {
        title: `result of ${name}`,
        type: resultOf(definition),
        direction: 'in',
        further: false,
        of: ({ validators }) => validators.commands[name]?.result,
      },
    ];
  });
}

const options = { numRuns: 4, seed: 20_261_121 };

it('accept and refuse what the version does', { timeout: 240_000 }, async () => {
  const [server] = servers;
  if (!server) throw new Error('there are no servers');
  const versioned = versionsInRange('5.2..11.1').map((version) => ({
    version,
    schema: loadSchema(embeddedRoot(version, server)),
  }));
  const range = (await generatedPackage(merge(versioned), ['range', 'inspect'])) as Package;
  for (const { version, schema } of versioned) {
    const own = (await generatedPackage(schema)) as Package;
    const values = new Values({ depth: 5 });
    for (const { title, type, direction, further, of } of placesOf(schema)) {
      const whole = of(range)?.type;
      if (!whole) throw new Error(`the range lacks ${title}`);
      const narrowed = range.forVersions(whole, [version]);
      const check = (value: unknown): void => {
        const issues = range.inspect(narrowed, value, { direction, further }).issues;
        const want = of(own)?.issues(value) ?? [];
        if (issues.length > 0 !== want.length > 0) expect(issues, `${title} of ${version}`).toEqual(want);
      };
      fc.assert(fc.property(values.valid(type), check), options);
      const flawed = values.flawed(type, flawsOfJson, { further });
      fc.assert(
        fc.property(flawed, (one) => {
          if (one) check(one.value);
        }),
        options,
      );
    }
  }
});
