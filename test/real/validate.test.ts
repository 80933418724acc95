/**
 * Sends generated arguments to real servers, bypassing the validators. Servers must not reject the form of valid
 * arguments, and must reject that of invalid ones with the same path. Results must be valid, too.
 *
 * `QAPI_TS_RUNS` sets the number of values of each kind for each command, `QAPI_TS_SEED` varies them.
 */

import { execFileSync, spawn } from 'node:child_process';
import { join } from 'node:path';

import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';

import { embeddedRoot, embeddedVersions, servers, type Server } from '../../generator/src/embedded.js';
import { loadSchema } from '../../generator/src/frontend/load.js';
import type { SchemaInfo } from '../../generator/src/introspect.js';
import {
  allMembers,
  isObjectType,
  takesFurtherArguments,
  type Branch,
  type Command,
  type Definition,
  type Schema,
  type Type,
} from '../../generator/src/model.js';
import { launch, stringify, type CommandValidators } from '../../runtime/src/index.js';
import type { AnyValidators } from '../../runtime/src/validator.js';
import { argumentsOf, Values, words } from '../support/arbitrary.js';
import { agent, connectTo, type AnyClient } from '../support/client.js';
import { flawsOfJson, type Flawed, type Path } from '../support/flaws.js';
import { generatedPackage } from '../support/generated.js';
import { lackingParts } from '../support/lacking.js';
import { Sender, type Running } from '../support/sender.js';
import { bare, findProgram, installed, kill, temporaryFolder, whenListening } from '../support/servers.js';

const runs = Number(process.env['QAPI_TS_RUNS'] ?? 5);
const seed = Number(process.env['QAPI_TS_SEED'] ?? 1);
/** The number of times that valid arguments may crash or hang the server. After that, no more are sent. */
const enough = 2;

interface Kind {
  readonly server: Server['name'];
  readonly program: string;
  /** @param folder a directory for the server's files */
  start(folder: string): Promise<Running>;
  /** Returns the parts of the schema that the server lacks. */
  lacking(client: AnyClient, schema: Schema): Promise<Set<object>>;
  /** Commands that are not sent, with reasons. */
  readonly omitted: Readonly<Record<string, string>>;
  /** Branches that are not used, by union, with reasons. */
  readonly omittedBranches?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

const lackingByIntrospection: Kind['lacking'] = async (client, schema) =>
  lackingParts(schema, (await client.executeRaw('query-qmp-schema')) as unknown as SchemaInfo[]);

const writes = 'writes any amount of data to the disk';
const runsPrograms = 'runs programs';
const omitted = { quit: 'ends the server', 'blockdev-create': writes, memsave: writes, pmemsave: writes };

const changesHost = 'changes the host: the agent runs on it';
const stopsHost = 'stops the host: the agent runs on it';
/** The server is configured to reject them, too. */
const blockedInAgent = {
  'guest-exec': runsPrograms,
  'guest-file-open': 'writes files',
  'guest-fsfreeze-freeze': stopsHost,
  'guest-fsfreeze-freeze-list': stopsHost,
  'guest-fsfreeze-thaw': changesHost,
  'guest-fstrim': changesHost,
  'guest-set-memory-blocks': changesHost,
  'guest-set-time': changesHost,
  'guest-set-user-password': changesHost,
  'guest-set-vcpus': changesHost,
  'guest-shutdown': stopsHost,
  'guest-ssh-add-authorized-keys': changesHost,
  'guest-ssh-remove-authorized-keys': changesHost,
  'guest-suspend-disk': stopsHost,
  'guest-suspend-hybrid': stopsHost,
  'guest-suspend-ram': stopsHost,
};

const kinds: Kind[] = [
  {
    server: 'qmp',
    program: 'qemu-system-x86_64',
    start: (cwd) => launched(['qemu-system-x86_64', bare, { cwd }]),
    lacking: lackingByIntrospection,
    omitted,
    omittedBranches: {
      MigrationAddress: { exec: runsPrograms },
      Netdev: { bridge: runsPrograms, passt: runsPrograms, tap: `creates an interface, and ${runsPrograms}` },
    },
  },
  {
    server: 'qsd',
    program: 'qemu-storage-daemon',
    start: (cwd) => launched(['qemu-storage-daemon', [], { cwd, monitor: '--monitor' }]),
    lacking: lackingByIntrospection,
    omitted,
  },
  {
    server: 'qga',
    program: 'qemu-ga',
    start: startAgent,
    async lacking(client, schema) {
      const info = (await client.executeRaw('guest-info')) as {
        supported_commands: { name: string; enabled: boolean }[];
      };
      const enabled = new Set(info.supported_commands.filter((one) => one.enabled).map(({ name }) => name));
      return new Set(commandsOf(schema).filter(({ name }) => !enabled.has(name)));
    },
    omitted: { ...blockedInAgent, 'guest-sync-delimited': 'has a reply that only the handshake can read' },
  },
];

async function launched(how: Parameters<typeof launch>): Promise<Running> {
  const client = await connectTo(launch(...how));
  return { client, process: client.process };
}

async function startAgent(folder: string): Promise<Running> {
  const path = join(folder, 'agent');
  const files = ['-p', path, '--statedir', folder, '-f', join(folder, 'pid')];
  const blocked = ['-b', Object.keys(blockedInAgent).join(',')];
  const process = spawn(findProgram('qemu-ga') ?? '', ['-m', 'unix-listen', ...files, ...blocked], {
    cwd: folder,
    stdio: 'ignore',
  });
  onTestFinished(() => kill(process));
  return { client: await whenListening(() => connectTo({ path }, {}, agent)), process };
}

function branchesOf(schema: Schema, union: string): readonly Branch[] {
  const type = schema.definitions.get(union);
  return type?.kind === 'union' ? type.branches : [];
}

function commandsOf(schema: Schema): Command[] {
  return [...schema.definitions.values()].filter((one: Definition): one is Command => one.kind === 'command');
}

/**
 * The errors of QEMU's input visitor. See QEMU's include/qapi/qmp/qerror.h, qapi/qapi-visit-core.c and
 * qapi/qobject-input-visitor.c.
 */
const refusalOfForm =
  /^(?:Parameter|Invalid parameter type for) '(?<name>.*?)'(?<why> is missing| is unexpected| does not accept value '.*'| expects u?int(?:8|16|32)_t| expects uint64|, expected: .*)$/su;

/** Returns the place that an error names if it is about the form of arguments. */
function nameInRefusal(refusal: string, command: Command): string | undefined {
  if (refusal === "QMP input member 'arguments' must be an object") return '';
  const { name, why } = refusalOfForm.exec(refusal)?.groups ?? {};
  // The command itself may have requirements beyond the schema.
  const isOptional = allMembers(argumentsOf(command)).some((member) => member.name === name && member.optional);
  return why === ' is missing' && isOptional ? undefined : name;
}

/**
 * Formats a path like the visitor: completely, except that errors about enums, alternates and integer ranges have only
 * the last step.
 */
function namesOf(path: Path): (string | undefined)[] {
  const full = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`)).join('');
  const last = path.at(-1) ?? '';
  return [full.replace(/^\./u, ''), typeof last === 'number' ? 'null' : last];
}

/** Returns the embedded schema of a program's version. */
function schemaOf(program: string, name: Server['name']): { version: string; schema: Schema } | undefined {
  const text = execFileSync(findProgram(program) ?? program, ['--version'], { encoding: 'utf8' });
  const [release] = /\d+\.\d+\./u.exec(text) ?? [];
  const version = embeddedVersions().findLast((one) => release !== undefined && one.startsWith(release));
  const server = servers.find((one) => one.name === name);
  return version === undefined || !server ? undefined : { version, schema: loadSchema(embeddedRoot(version, server)) };
}

/** Returns the number of types within a type, which determines how many kinds of values there are. */
function breadthOf(type: Type, seen = new Set<Type>()): number {
  if (type.kind === 'array') return breadthOf(type.element, seen);
  if (type.kind === 'builtin' || seen.has(type)) return seen.size;
  seen.add(type);
  if (isObjectType(type)) for (const member of allMembers(type)) breadthOf(member.type, seen);
  if (type.kind === 'union') for (const branch of type.branches) if (branch.type) breadthOf(branch.type, seen);
  if (type.kind === 'alternate') for (const one of type.alternatives) breadthOf(one.type, seen);
  return seen.size;
}

/** Sends values of one schema and collects unexpected outcomes. */
class Trial {
  readonly surprises: string[] = [];
  readonly #values: Values;

  /** @param lacking the parts of the schema that the server lacks */
  constructor(
    readonly sender: Sender,
    readonly validators: AnyValidators,
    lacking: ReadonlySet<object>,
  ) {
    this.#values = new Values({ strings: words, extremes: true, leaveOut: (part) => lacking.has(part) });
  }

  async send(command: Command): Promise<void> {
    const validators = this.validators.commands[command.name];
    if (!validators) throw new Error(`${command.name} has no validators`);
    const type = argumentsOf(command);
    const parameters = { seed, numRuns: runs * Math.min(breadthOf(type), 8) };
    await this.#sendValid(command, validators, fc.sample(this.#values.valid(type), parameters));
    const flawed = fc.sample(
      this.#values.flawed(type, flawsOfJson, { further: takesFurtherArguments(command) }),
      parameters,
    );
    for (const one of flawed) if (one) await this.#sendFlawed(command, validators, one);
  }

  async #sendValid(
    command: Command,
    validators: CommandValidators<unknown, unknown>,
    values: readonly unknown[],
  ): Promise<void> {
    let lost = 0;
    for (const value of values) {
      const surprise = (what: string): number => this.surprises.push(`${command.name} ${stringify(value)}: ${what}`);
      if (!validators.arguments(value)) surprise('the validator rejects it');
      const reply = await this.sender.send(command.name, value);
      if (reply === 'not sent') surprise(reply);
      else if (typeof reply === 'string') lost += 1;
      else if ('result' in reply) {
        if (!validators.result(reply.result))
          surprise(`the result has ${stringify(validators.result.issues(reply.result))}`);
      } else if (nameInRefusal(reply.refusal, command) !== undefined) surprise(reply.refusal);
      if (lost === enough) break;
    }
  }

  async #sendFlawed(
    command: Command,
    validators: CommandValidators<unknown, unknown>,
    { value, flaw, path }: Flawed,
  ): Promise<void> {
    const surprise = (what: string): number =>
      this.surprises.push(`${command.name} ${stringify(value)}, ${flaw} at ${path.join('.')}: ${what}`);
    if (validators.arguments(value)) surprise('the validator accepts it');
    const reply = await this.sender.send(command.name, value);
    // A client rejects integers of more than 64 bits.
    if (reply === 'not sent') return;
    if (typeof reply === 'string') surprise(reply);
    else if ('result' in reply) surprise('the server accepts it');
    // Without generated code (`gen: false`), only the command itself checks the form of its arguments.
    else if (command.gen && !namesOf(path).includes(nameInRefusal(reply.refusal, command))) surprise(reply.refusal);
  }
}

for (const kind of kinds) {
  const { server, program, omittedBranches = {} } = kind;
  const timeout = 30_000 + runs * 10_000;

  describe.runIf(installed([program], `generated arguments for a real ${program}`))(program, () => {
    test('rejects the form of invalid arguments, and only of those', { timeout }, async (context) => {
      const found = schemaOf(program, server);
      if (!found) return context.skip(`no schema is embedded for this version of ${program}`);
      const { schema, version } = found;
      const { validators } = (await generatedPackage(schema)) as { validators: AnyValidators };
      const folder = temporaryFolder();
      await using sender = new Sender(() => kind.start(folder));
      const lacking = await kind.lacking(await sender.client(), schema);
      for (const [name, branches] of Object.entries(omittedBranches)) {
        for (const branch of branchesOf(schema, name)) if (Object.hasOwn(branches, branch.name)) lacking.add(branch);
      }
      const trial = new Trial(sender, validators, lacking);
      for (const command of commandsOf(schema)) {
        if (!lacking.has(command) && !Object.hasOwn(kind.omitted, command.name)) await trial.send(command);
      }
      const counts = Object.entries(sender.counts).map(([what, count]) => `${count} ${what}`);
      console.log(`${program}, as of ${version}, seed ${seed}: ${counts.join(', ')}`);
      expect(trial.surprises).toEqual([]);
      expect(sender.counts.accepted).toBeGreaterThan(0);
      expect(sender.counts.refused).toBeGreaterThan(sender.counts.accepted);
    });
  });
}
