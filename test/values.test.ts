/**
 * Values of all commands and events: checks and inspections accept the valid ones, and find the one flaw in each of the
 * others. A JSON Schema validator agrees.
 *
 * `QAPI_TS_RUNS` is the number of values of each kind, `QAPI_TS_SEED` the seed.
 */

import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';

import { currentVersion, embeddedRoot, embeddedVersions, servers } from '../generator/src/embedded.js';
import { loadSchema } from '../generator/src/frontend/load.js';
import { takesFurtherArguments, type Schema, type Type } from '../generator/src/model.js';
import { compiled } from '../runtime/src/compile.js';
import { inspect, isFailure, type Direction, type Issue } from '../runtime/src/inspect.js';
import { passes, type AnyValidators, type Validator } from '../runtime/src/validator.js';
import { argumentsOf, dataOf, resultOf, Values } from './support/arbitrary.js';
import { allFlaws, flawsOfJson, isOfUnknown, type Flawed } from './support/flaws.js';
import { generatedPackage } from './support/generated.js';
import { JsonSchemaValidator } from './support/json-schema.js';

const seed = Number(process.env['QAPI_TS_SEED'] ?? 1);

/** A value with a validator: the arguments or result of a command, or the data of an event. */
interface Subject {
  readonly title: string;
  readonly name: string;
  readonly type: Type;
  readonly direction: Direction;
  readonly further: boolean;
  readonly validator: Validator<unknown>;
}

function subjectsOf(schema: Schema, { commands, events }: AnyValidators): Subject[] {
  return [...schema.definitions.values()].flatMap((definition): Subject[] => {
    const { name } = definition;
    const incoming = { name, direction: 'in', further: false } as const;
    if (definition.kind === 'event') {
      const validator = there(events[name]);
      return [{ ...incoming, title: `data of ${name}`, type: dataOf(definition), validator }];
    }
    if (definition.kind !== 'command') return [];
    const { arguments: args, result } = there(commands[name]);
    const outgoing = { name, direction: 'out', further: takesFurtherArguments(definition) } as const;
    return [
      { ...outgoing, title: `arguments of ${name}`, type: argumentsOf(definition), validator: args },
      { ...incoming, title: `result of ${name}`, type: resultOf(definition), validator: result },
    ];
  });
}

function there<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('a validator is missing');
  return value;
}

/** Returns the issues that the inspection finds, and verifies that the validator agrees. */
function issuesOf({ title, validator, direction, further }: Subject, value: unknown): Issue[] {
  const { issues } = inspect(validator.type, value, { direction, further });
  expect(validator(value), title).toBe(!issues.some((issue) => isFailure(issue, direction)));
  expect(validator.issues(value), title).toEqual(issues);
  return issues;
}

/** Returns whether the compiled check accepts a value without the inspection. */
function isFast({ validator, direction }: Subject, value: unknown): boolean {
  return passes(compiled(validator.type, direction), value, direction);
}

for (const version of embeddedVersions()) {
  const isCurrent = version === currentVersion();
  const parameters = { seed, numRuns: Number(process.env['QAPI_TS_RUNS'] ?? (isCurrent ? 40 : 10)) };
  const timeout = 30_000 + parameters.numRuns * 2000;

  describe.each(servers)(`of QEMU ${version}, $title:`, (server) => {
    const schema = loadSchema(embeddedRoot(version, server));
    let subjects: Subject[] = [];

    beforeAll(async () => {
      const { validators } = (await generatedPackage(schema)) as { validators: AnyValidators };
      subjects = subjectsOf(schema, validators);
    });

    test('valid values have no issues', { timeout }, () => {
      const values = new Values();
      for (const subject of subjects) {
        const holds = (value: unknown): void => {
          expect(issuesOf(subject, value), subject.title).toEqual([]);
        };
        fc.assert(fc.property(values.valid(subject.type), holds), parameters);
      }
    });

    test('values with a flaw have one issue, at the right path', { timeout }, () => {
      const values = new Values();
      const seen = new Set<string>();
      let deepest = 0;
      for (const subject of subjects) {
        const { title, type, direction } = subject;
        const holds = (flawed: Flawed | undefined): void => {
          if (!flawed) return;
          const { value, path, flaw, outgoing } = flawed;
          seen.add(`${direction} ${flaw}`);
          deepest = Math.max(deepest, path.length);
          const issue = { kind: isOfUnknown(flaw) ? 'unknown' : 'mismatch', path };
          const issues = outgoing && direction === 'in' ? [] : [issue];
          expect(issuesOf(subject, value), `${title}, ${flaw}`).toMatchObject(issues);
        };
        fc.assert(fc.property(values.flawed(type, allFlaws, subject), holds), parameters);
      }
      // The other schemas lack some kinds of flaws.
      if (server.name !== 'qmp') return;
      const all = ['in', 'out'].flatMap((direction) => allFlaws.map((flaw) => `${direction} ${flaw}`));
      expect(seen).toEqual(new Set(all));
      expect(deepest).toBeGreaterThan(6);
    });

    if (!isCurrent) return;

    test('JSON Schema gives the same verdicts on JSON', { timeout }, () => {
      const ajv = new JsonSchemaValidator(schema);
      const values = new Values({ json: true });
      let fast = 0;
      for (const subject of subjects) {
        const { title, name, type, direction, validator } = subject;
        const fits = (value: unknown): boolean =>
          ajv.errors(direction === 'out' ? 'arguments' : 'results', name, value).length === 0;
        const accepted = (value: unknown): void => {
          if (isFast(subject, value)) fast += 1;
          expect(fits(value), title).toBe(true);
        };
        fc.assert(fc.property(values.valid(type), accepted), parameters);
        const alike = (flawed: Flawed | undefined): void => {
          if (flawed) expect(fits(flawed.value), `${title}, ${flawed.flaw}`).toBe(validator(flawed.value));
        };
        fc.assert(fc.property(values.flawed(type, flawsOfJson, subject), alike), parameters);
      }
      // The check leaves arrays and objects in `any` to the inspection.
      expect(fast / parameters.numRuns / subjects.length).toBeGreaterThan(0.98);
    });
  });
}
