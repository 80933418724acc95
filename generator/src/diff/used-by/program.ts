/** The program of a `tsconfig.json`. */

import { statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

import { Project, ts } from 'ts-morph';

import { UsageError } from '../../errors.js';
import { optional } from '../../optional.js';
import { readNamed } from '../../sources/files.js';
import { Findings } from './findings.js';
import { GeneratedCode } from './generated.js';
import { scan } from './scan.js';
import type { Found, Key, Scope, Usage } from './usage.js';

/**
 * @throws FileError when a configuration cannot be read; UsageError when it is none
 */
export function readPrograms(tsconfig: string): Usage {
  const findings = new Findings();
  const codes = readConfigs(configPath(tsconfig)).map((config) => readProgram(config, findings));
  const { commands, events, members, values, constructions } = findings;
  const find: Usage['find'] = (use) => unite(codes.map((code) => code.find(use)));
  const isRelevant = relevance(codes, findings);
  return {
    packages: [...new Set(codes.flatMap(({ folders }) => folders))],
    commands,
    events,
    members,
    values,
    constructions,
    unclear: findings.unclears.filter(({ scope }) => isRelevant(scope)),
    find,
  };
}

interface Config {
  readonly path: string;
  readonly isEmpty: boolean;
}

function configPath(tsconfig: string): string {
  const path = resolve(tsconfig);
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ? join(path, 'tsconfig.json') : path;
}

/** A configuration, and all those that it refers to, which are programs of their own. */
function readConfigs(root: string): Config[] {
  const configs = new Map<string, Config>();
  const visit = (path: string): void => {
    if (configs.has(path)) return;
    const { fileNames, projectReferences = [], errors } = parseConfig(path);
    configs.set(path, { path, isEmpty: fileNames.length === 0 });
    const error = errors.find(({ code }) => !(newer.has(code) || (noInputs.has(code) && projectReferences.length > 0)));
    if (error) throw new UsageError(`'${path}': ${ts.flattenDiagnosticMessageText(error.messageText, ' ')}`);
    for (const reference of projectReferences) visit(resolve(ts.resolveProjectReferencePath(reference)));
  };
  visit(root);
  return [...configs.values()].filter(({ isEmpty }) => !isEmpty);
}

/** Options, and values of options, that a newer TypeScript has. */
const newer = new Set([5023, 5025, 6046]);

/** "No inputs were found", and "The 'files' list is empty", which is how a configuration that only refers to others looks. */
const noInputs = new Set([18_002, 18_003]);

function parseConfig(path: string): ts.ParsedCommandLine {
  const { config, error } = ts.parseConfigFileTextToJson(path, new TextDecoder().decode(readNamed(path)));
  if (error) throw new UsageError(`'${path}': ${ts.flattenDiagnosticMessageText(error.messageText, ' ')}`);
  return ts.parseJsonConfigFileContent(config, ts.sys, dirname(path), undefined, path);
}

function readProgram({ path }: Config, findings: Findings): GeneratedCode {
  const { options } = parseConfig(path);
  const project = new Project({
    tsConfigFilePath: path,
    // The compiler finds what they import.
    skipFileDependencyResolution: true,
    compilerOptions: {
      noEmit: true,
      skipLibCheck: true,
      // Before TypeScript 6 this was what a configuration without it meant, and otherwise it only declares more.
      types: options.types ?? ['*'],
    },
  });
  const program = project.getProgram().compilerObject;
  const code = new GeneratedCode(program);
  const own = new Findings();
  if (code.folders.length > 0) scan(program, code, own);
  findings.addAll(own);
  return code;
}

function unite(all: readonly Found[]): Found {
  const keys = (part: (one: Found) => ReadonlySet<Key>): Set<Key> => new Set(all.flatMap((one) => [...part(one)]));
  return {
    isWhole: all.some(({ isWhole }) => isWhole),
    members: keys(({ members }) => members),
    owners: keys(({ owners }) => owners),
    enums: keys(({ enums }) => enums),
    ...optional(
      'branch',
      all.map(({ branch }) => branch).find((branch) => branch !== undefined),
    ),
  };
}

/** Whether what could not be followed has to do with a command or event that the program uses. */
function relevance(codes: readonly GeneratedCode[], { commands, events }: Findings): (scope: Scope) => boolean {
  const keys = (kind: 'command' | 'event', role: string): Set<Key> => {
    const names = new Set((kind === 'command' ? commands : events).map(({ name }) => name));
    const types = codes.map((code) =>
      [...names].flatMap((name) => code.carried({ kind, name }, role).map((type) => code.reach(type))),
    );
    return new Set(types.flat().flatMap((reach) => [...reach]));
  };
  const sent = keys('command', 'arguments');
  const received = new Set([...keys('command', 'result'), ...keys('event', 'data')]);
  return ({ reads, writes }) =>
    (!reads && !writes) ||
    [...(reads ?? [])].some((key) => received.has(key)) ||
    [...(writes ?? [])].some((key) => sent.has(key));
}
