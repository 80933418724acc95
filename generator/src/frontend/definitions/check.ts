/**
 * Checks the semantics of definitions, without changing the model. The rules are those of QEMU's
 * docs/devel/qapi-code-gen.rst, "Schema syntax".
 */

import { isObjectType, isType, type ObjectType } from '../../model.js';
import type { Dialect } from '../dialect.js';
import { checkDescriptions } from '../docs/check.js';
import {
  allFeatures,
  inlineMembers,
  referenceOffset,
  type CommandSyntax,
  type DefinitionSyntax,
  type EventSyntax,
  type MemberSyntax,
} from '../expressions/syntax.js';
import type { Rules } from '../pragmas.js';
import type { ReportAt, Reporter } from '../reporter.js';
import { checkAlternate } from './alternates.js';
import { checkClashes } from './clashes.js';
import { describeType } from './describe.js';
import { ObjectChecker } from './objects.js';
import type { Resolution, ResolvedDefinition } from './resolve.js';

/** Features with a meaning in QEMU's compiler. They count towards the limit in every schema. */
const specialFeatures = ['deprecated', 'unstable'];
const maxFeatures = 64;

/** @param syntaxes all definitions, including those that are missing from the resolution */
export function checkDefinitions(
  syntaxes: readonly DefinitionSyntax[],
  resolution: Resolution,
  rules: Rules,
  reporter: Reporter,
): void {
  const { dialect } = rules;
  const objects = new ObjectChecker(resolution, reporter);
  for (const resolved of resolution.definitions) {
    const { syntax, definition } = resolved;
    const reportAt = reporter.inDefinition(syntax);
    checkClashes(reportAt, 'feature', syntax.features);
    for (const { features } of writtenMembers(syntax)) checkClashes(reportAt, 'feature', features);
    if (isType(definition)) checkTypeFeatures(reportAt, syntax, dialect);
    checkBody(resolved, { ...rules, objects, reportAt });
    if (!objects.isBroken(definition)) checkDescriptions(syntax, rules, reportAt, reporter);
  }
  if (dialect.enforces('feature-limit')) checkFeatureCount(syntaxes, reporter);
}

/** The context of the checks of one definition. */
interface Checking extends Rules {
  readonly objects: ObjectChecker;
  readonly reportAt: ReportAt;
}

function checkBody(resolved: ResolvedDefinition, checking: Checking): void {
  const { objects, reportAt } = checking;
  const { kind, syntax, definition } = resolved;
  switch (kind) {
    case 'enum':
      return checkClashes(reportAt, 'value', syntax.values);
    case 'struct':
    case 'union':
      return objects.check(definition);
    case 'alternate':
      return checkAlternate(reportAt, syntax, definition);
    case 'command':
      checkReturns(resolved, checking);
      return checkData(syntax, definition.arguments, checking);
    case 'event':
      return checkData(syntax, definition.data, checking);
  }
}

function checkReturns(
  { syntax, definition: { returns } }: ResolvedDefinition & { readonly kind: 'command' },
  { pragmas, reportAt }: Checking,
): void {
  if (!returns || !syntax.returns || pragmas.commandReturnsExceptions.has(syntax.name)) return;
  if (isObjectType(returns.kind === 'array' ? returns.element : returns)) return;
  const message = `a command must return an object or an array of objects, not ${describeType(returns)}`;
  reportAt(syntax.returns.offset, `${message} (pragma 'command-returns-exceptions' allows it)`);
}

/** Checks the arguments of a command, or the data of an event. */
function checkData(
  syntax: CommandSyntax | EventSyntax,
  type: ObjectType | undefined,
  { objects, dialect, reportAt }: Checking,
): void {
  if (!type) return;
  const isBoxed = syntax.flags.has('boxed');
  const offset = referenceOffset(syntax.data) ?? syntax.offset;
  const written = inlineMembers(syntax.data);
  if (type.kind === 'union' && !isBoxed)
    reportAt(offset, `'data' can be ${describeType(type)} only with 'boxed': true`);
  checkClashes(reportAt, 'member', written);
  objects.check(type);
  if (isBoxed || !dialect.enforces('conditional-arguments-boxed')) return;
  const conditional = objects.members(type).find(({ member }) => member.condition)?.member.name;
  if (conditional === undefined) return;
  const at = written.find(({ name }) => name === conditional)?.offset ?? offset;
  reportAt(at, `member '${conditional}' is conditional: that requires 'boxed': true`);
}

function checkTypeFeatures(reportAt: ReportAt, { features }: DefinitionSyntax, dialect: Dialect): void {
  for (const { name, offset } of features) {
    if (name === 'deprecated' || (name === 'unstable' && dialect.enforces('no-unstable-types')))
      reportAt(offset, `types cannot have the feature '${name}'`);
  }
}

function checkFeatureCount(syntaxes: readonly DefinitionSyntax[], reporter: Reporter): void {
  const names = new Set(specialFeatures);
  for (const syntax of syntaxes) {
    for (const { name, offset } of allFeatures(syntax)) {
      if (names.has(name)) continue;
      names.add(name);
      if (names.size === maxFeatures + 1)
        reporter.inDefinition(syntax)(offset, `a schema can have at most ${maxFeatures} different features`);
    }
  }
}

/** Returns the members written in the definition itself, not in its bases. */
function writtenMembers(syntax: DefinitionSyntax): readonly MemberSyntax[] {
  switch (syntax.meta) {
    case 'struct':
      return syntax.members;
    case 'union':
      return inlineMembers(syntax.base);
    case 'command':
    case 'event':
      return inlineMembers(syntax.data);
    default:
      return [];
  }
}
