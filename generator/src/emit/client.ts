/** Emits the client class of a schema, its maps of commands and events, and the index of the package. */

import {
  allMembers,
  isEmpty,
  takesFurtherArguments,
  type Command,
  type Event,
  type ObjectType,
  type Schema,
  type Type,
  type Variant,
} from '../model.js';
import { unionOf } from '../model/join.js';
import { isJoined } from '../model/variants.js';
import { allVersions, type Versions } from '../model/versions.js';
import {
  alias,
  array,
  arrow,
  assignment,
  braces,
  call,
  code,
  docComment,
  generic,
  identifier,
  intersection,
  join,
  object,
  property,
  propertyName,
  pure,
  signature,
  typeLiteral,
  union,
  type Code,
} from './code.js';
import { runtimeExports, runtimeTypes } from './names.js';
import { References, runtimePackage, type EmitContext } from './references.js';

/** @param qemu the version of QEMU that the schema belongs to, if known */
export function emitClient(schema: Schema, context: EmitContext, qemu?: string): Code {
  const emitter = new ClientEmitter(context);
  const definitions = [...schema.definitions.values()];
  const commands = definitions.filter((definition) => definition.kind === 'command');
  const events = definitions.filter((definition) => definition.kind === 'event');
  const parts = [
    emitter.commandMap(commands),
    emitter.eventMap(events),
    ...(context.versions ? emitter.optionalCommands(commands) : []),
    ...(context.declarations
      ? emitter.declarations(commands)
      : [emitter.validators(commands, events), ...emitter.client(commands, qemu)]),
  ];
  return join([emitter.imports(), ...parts], '\n\n');
}

/**
 * Returns the index, which exports everything from the modules, and the runtime's API, so that programs need only one
 * package.
 *
 * @param files the names of the modules, without extension
 */
export function emitIndex(files: readonly string[]): Code {
  const modules = files.toSorted().map((file) => code`export * from ${`./${file}.js`};`);
  const names = [...runtimeExports.map(identifier), ...runtimeTypes.map((name) => code`type ${identifier(name)}`)];
  return join([...modules, code`export ${braces(names)} from ${runtimePackage};`], '\n');
}

class ClientEmitter {
  readonly #context: EmitContext;
  readonly #references: References;
  /** All versions of a range. */
  readonly #all: Versions;

  constructor(context: EmitContext) {
    this.#context = context;
    this.#all = allVersions(context.versions?.length ?? 0);
    this.#references = new References(context);
  }

  imports(): Code {
    for (const name of ['Address', 'ConnectOptions', 'Protocol', 'Validators']) this.#references.runtime(name);
    for (const name of ['Connection', 'validatorsOf']) this.#references.runtime(name, true);
    if (!this.#context.versions) return this.#references.imports(code`Client as BaseClient`);
    this.#references.runtime('Granted');
    for (const name of ['RangeClient', 'versionRange']) this.#references.runtime(name, true);
    return this.#references.imports();
  }

  commandMap(commands: readonly Command[]): Code {
    const properties = commands.map((command) => {
      const type = typeLiteral([
        code`arguments: ${this.#arguments(command)}`,
        code`result: ${this.#result(command)}`,
        ...(command.allowOob ? [code`oob: true`] : []),
      ]);
      return code`${this.#docs(command)}${propertyName(command.name)}: ${type};`;
    });
    return code`${docComment('The commands by wire name.')}export interface Commands {
      ${properties}
      }`;
  }

  eventMap(events: readonly Event[]): Code {
    const properties = events.map((event) => {
      const data = event.data ? this.#references.type(event.data) : this.#references.runtime('EmptyObject');
      return code`${this.#docs(event)}${propertyName(event.name)}: ${typeLiteral([code`data: ${data}`])};`;
    });
    return code`${docComment('The events by wire name.')}export interface Events {
      ${properties}
      }`;
  }

  /** Returns the types for the commands of a range that not every version has. */
  optionalCommands(commands: readonly Command[]): Code[] {
    const names = commands.filter(isOptional).map(({ name }) => code`${name}`);
    const docs = `The commands that not every version has. To call one, ask for it first: \`if (vm.has('query-example'))\`.`;
    const withDocs = 'A client of a server that has these commands, as `has` grants them.';
    return [
      code`${docComment(docs)}${alias(code`OptionalCommands`, names)}`,
      code`${docComment(withDocs)}export type ClientWith<N extends OptionalCommands> = Client & Granted<N>;`,
    ];
  }

  validators(commands: readonly Command[], events: readonly Event[]): Code {
    const ofCommands = commands.map((command) => property(propertyName(command.name), this.#validatorsOf(command)));
    const ofEvents = events.map((event) => {
      const data = event.data && this.#contents(event.data, event);
      const facts = event.in === undefined ? [] : this.#references.notes({ in: event.in, features: [] });
      const noted = object([...(data ? [property(code`data`, data)] : []), ...facts]);
      return property(propertyName(event.name), facts.length > 0 ? noted : (data ?? code`undefined`));
    });
    const docs = 'Validators of the arguments and results of commands, and of the data of events, by wire name.';
    const maps = [code`Commands`, code`Events`];
    const callee = generic(code`validatorsOf`, maps);
    const tables = [ofCommands, ofEvents].map((table) => {
      return code`{
        ${table.map((entry) => code`${entry},`)}
        }`;
    });
    const target = code`export const validators: ${generic(this.#references.runtime('Validators'), maps)}`;
    return code`${docComment(docs)}${assignment(target, pure(call(callee, tables)))}`;
  }

  #validatorsOf(command: Command): Code {
    return object([
      ...(command.arguments ? [property(code`arguments`, this.#contents(command.arguments, command))] : []),
      ...(command.returns ? [property(code`result`, this.#contents(command.returns, command))] : []),
      ...this.#further(command),
      ...this.#references.notes(command),
    ]);
  }

  /** Returns the runtime reference to a type, which some versions may lack. */
  #contents(type: Type, { in: all = this.#all }: Command | Event): Code {
    const absent = isJoined(type) ? all & ~unionOf(type.variants) : 0;
    if (!isJoined(type) || absent === 0) return this.#references.validator(type);
    const present = type.variants.map((one) => ({ ref: this.#references.validator(one.type), in: one.in }));
    const empty = call(this.#references.runtime('struct', true), [arrow(object([]))]);
    return this.#references.joined([{ ref: empty, in: absent }, ...present]);
  }

  #further(command: Command): Code[] {
    const read = command.flagsIn?.gen;
    if (read === undefined || !command.arguments) return takesFurtherArguments(command) ? [code`further: true`] : [];
    const versions = (command.in ?? this.#all) & ~read;
    return [property(code`further`, code`${this.#references.versions(versions)}`)];
  }

  client(commands: readonly Command[], qemu: string | undefined): Code[] {
    const clientDocs =
      "A client with a method for each command. Each method takes the command's arguments, then call options.";
    const connectDocs =
      'Connects to a running server, or starts one.\n\n@throws QmpError if the connection fails or is not ready in time';
    const methods = commands.map((command) => {
      const inner = call(code`this.execute`, [code`${command.name}`, code`args`, code`options`]);
      return code`${this.#docs(command)}${this.#method(command)} {
        return ${inner};
        }`;
    });
    return [
      assignment(code`const protocol: Protocol`, protocol(commands, qemu, this.#context.versions)),
      code`${docComment(clientDocs)}export class Client extends ${this.#base()} {
        ${join(methods, '\n\n')}
        }`,
      code`${docComment(connectDocs)}export async function connect(address: Address, options?: ConnectOptions): Promise<Client> {
        return new Client(await Connection.open(address, protocol, options));
        }`,
    ];
  }

  /** Returns what `validators` and `client` define, without code. */
  declarations(commands: readonly Command[]): Code[] {
    const methods = commands.map((command) => code`${this.#method(command)};`);
    const validators = generic(this.#references.runtime('Validators'), [code`Commands`, code`Events`]);
    return [
      code`export declare const validators: ${validators};`,
      code`export declare class Client extends ${this.#base()} {
        ${methods}
        }`,
      code`export declare function connect(address: Address, options?: ConnectOptions): Promise<Client>;`,
    ];
  }

  /** Returns the class that the client extends. */
  #base(): Code {
    return this.#context.versions
      ? generic(code`RangeClient`, [code`Commands`, code`Events`, code`OptionalCommands`])
      : code`BaseClient<Commands, Events>`;
  }

  /** Returns a method without its body. */
  #method(command: Command): Code {
    const optional =
      !command.arguments ||
      (command.arguments.kind === 'struct' && allMembers(command.arguments).every((member) => member.optional));
    const name = propertyName(this.#context.names.method(command));
    const options = this.#references.runtime(command.allowOob ? 'OobCallOptions' : 'CallOptions');
    const outcome = generic(this.#references.runtime('Outcome'), [this.#result(command), code`Events`, code`U`]);
    const parameters = [
      ...(isOptional(command) ? [code`this: ClientWith<${command.name}>`] : []),
      code`args${optional ? code`?` : code``}: ${this.#arguments(command)}`,
      code`options?: ${generic(options, [code`Events`, code`U`])}`,
    ];
    return signature(name, code`U extends keyof Events = never`, parameters, generic(code`Promise`, [outcome]));
  }

  #docs(definition: Command | Event): Code {
    return docComment(this.#context.comments.definition(definition, this.#context.manual(definition)));
  }

  #arguments(command: Command): Code {
    const { arguments: own } = command;
    const types = own ? this.#read(own, command) : [this.#references.runtime('EmptyObject')];
    if (!own || !takesFurtherArguments(command)) return union(types);
    const further = this.#references.runtime('FurtherArguments');
    // The type of an object without members allows none.
    if (isEmpty(own)) return further;
    const open = types.map((type) => intersection(type, further));
    return union(open.length === 1 ? open : open.map((type) => code`(${type})`));
  }

  /** Returns the types of arguments, without what versions add whose generated code does not read them. */
  #read(type: ObjectType, { flagsIn }: Command): Code[] {
    const read = flagsIn?.gen;
    if (read === undefined || !isJoined(type)) return this.#references.alternatives(type);
    const variants: Variant[] = type.variants.filter((variant) => (variant.in & read) !== 0);
    return variants.flatMap((variant) => this.#references.alternatives(variant.type));
  }

  #result({ returns }: Command): Code {
    return returns ? this.#references.type(returns) : code`void`;
  }
}

/** Returns whether not every version of a range has a command. */
function isOptional(command: Command): boolean {
  return command.in !== undefined;
}

/** Returns the runtime's `Protocol` object. */
function protocol(
  commands: readonly Command[],
  qemu: string | undefined,
  versions: readonly string[] | undefined,
): Code {
  // Only agents have this command, which is part of their handshake.
  const handshake = commands.some(({ name }) => name === 'guest-sync-delimited') ? 'sync' : 'greeting';
  const silent = commands.filter(({ successResponse }) => !successResponse).map(({ name }) => code`${name}`);
  return object([
    property(code`handshake`, code`${handshake}`),
    ...(qemu === undefined ? [] : [property(code`qemu`, code`${qemu}`)]),
    ...(versions
      ? [property(code`versions`, call(code`versionRange`, [array(versions.map((version) => code`${version}`))]))]
      : []),
    property(code`withoutReply`, array(silent)),
    code`validators`,
  ]);
}
