/** The client class of a schema, with its maps of commands and events, and the index of its modules. */

import {
  StructureKind,
  VariableDeclarationKind,
  type ClassDeclarationStructure,
  type InterfaceDeclarationStructure,
  type MethodDeclarationStructure,
  type OptionalKind,
  type PropertySignatureStructure,
  type SourceFileStructure,
  type StatementStructures,
} from 'ts-morph';

import { allMembers, type Command, type Event, type Schema } from '../model.js';
import { runtimeExports, runtimeTypes } from './names.js';
import { notes, quote, References, runtimePackage, spaced, toDocs, type EmitContext } from './module.js';

/** @param qemu the version of the QEMU whose schema it is, where that is known */
export function emitClient(schema: Schema, context: EmitContext, qemu?: string): SourceFileStructure {
  const emitter = new ClientEmitter(context);
  const definitions = [...schema.definitions.values()];
  const commands = definitions.filter((definition) => definition.kind === 'command');
  const events = definitions.filter((definition) => definition.kind === 'event');
  const statements = spaced([
    emitter.commandMap(commands),
    emitter.eventMap(events),
    emitter.validators(commands, events),
    ...emitter.client(commands, qemu),
  ]);
  return { kind: StructureKind.SourceFile, statements: [...emitter.imports(), ...statements] };
}

/** @param files the names, without extension, of the modules with types */
export function emitIndex(files: readonly string[]): SourceFileStructure {
  const modules = [...files].toSorted().map((file) => ({ moduleSpecifier: `./${file}.js` }));
  // What a program needs beside the schema comes from the same package, so that it need not depend on another.
  const types = runtimeTypes.map((name) => ({ name, isTypeOnly: true }));
  const exports = [...modules, { moduleSpecifier: runtimePackage, namedExports: [...runtimeExports, ...types] }];
  return {
    kind: StructureKind.SourceFile,
    statements: exports.map((one) => ({ kind: StructureKind.ExportDeclaration, ...one })),
  };
}

class ClientEmitter {
  readonly #context: EmitContext;
  readonly #references: References;

  constructor(context: EmitContext) {
    this.#context = context;
    this.#references = new References(context);
  }

  imports(): StatementStructures[] {
    for (const name of ['Address', 'ConnectOptions', 'Protocol']) this.#references.runtime(name);
    for (const name of ['Connection', 'validatorsOf']) this.#references.runtime(name, true);
    return this.#references.imports().map((one) => {
      if (one.moduleSpecifier !== runtimePackage) return one;
      return { ...one, namedImports: [{ name: 'Client', alias: 'BaseClient' }, ...one.namedImports] };
    });
  }

  commandMap(commands: readonly Command[]): InterfaceDeclarationStructure {
    const properties = commands.map((command) => {
      const oob = command.allowOob ? '; oob: true' : '';
      return {
        name: quote(command.name),
        type: `{ arguments: ${this.#arguments(command)}; result: ${this.#result(command)}${oob} }`,
      };
    });
    return {
      kind: StructureKind.Interface,
      isExported: true,
      name: 'Commands',
      properties,
      docs: toDocs('The commands, by the name they have on the wire.'),
    };
  }

  eventMap(events: readonly Event[]): InterfaceDeclarationStructure {
    const properties = events.map((event): OptionalKind<PropertySignatureStructure> => {
      const data = event.data ? this.#references.type(event.data) : this.#references.runtime('EmptyObject');
      const comment = this.#context.comments.definition(event, this.#context.manual(event));
      return { name: quote(event.name), type: `{ data: ${data} }`, docs: toDocs(comment) };
    });
    return {
      kind: StructureKind.Interface,
      isExported: true,
      name: 'Events',
      properties,
      docs: toDocs('The events, by the name they have on the wire.'),
    };
  }

  validators(commands: readonly Command[], events: readonly Event[]): StatementStructures {
    const ofCommands = commands.map((command) => `${quote(command.name)}: ${this.#validatorsOf(command)},`);
    const ofEvents = events.map(
      ({ name, data }) => `${quote(name)}: ${data ? this.#references.validator(data) : 'undefined'},`,
    );
    const initializer = `/* @__PURE__ */ validatorsOf<Commands, Events>({\n${ofCommands.join('\n')}\n}, {\n${ofEvents.join('\n')}\n})`;
    return {
      kind: StructureKind.VariableStatement,
      isExported: true,
      declarationKind: VariableDeclarationKind.Const,
      declarations: [{ name: 'validators', initializer }],
      docs: toDocs('Validators of arguments and results, and of the data of events, by the name on the wire.'),
    };
  }

  #validatorsOf(command: Command): string {
    const parts = [
      command.arguments ? `arguments: ${this.#references.validator(command.arguments)}` : '',
      command.returns ? `result: ${this.#references.validator(command.returns)}` : '',
      command.gen ? '' : 'further: true',
      notes(command),
    ].filter((part) => part !== '');
    return parts.length === 0 ? '{}' : `{ ${parts.join(', ')} }`;
  }

  client(commands: readonly Command[], qemu: string | undefined): StatementStructures[] {
    const client: ClassDeclarationStructure = {
      kind: StructureKind.Class,
      isExported: true,
      name: 'Client',
      extends: 'BaseClient<Commands, Events>',
      docs: toDocs(
        'A client with a method for each command. Every method takes the arguments of the command, then options of the call.',
      ),
      methods: commands.map((command) => this.#method(command)),
    };
    return [
      {
        kind: StructureKind.VariableStatement,
        declarationKind: VariableDeclarationKind.Const,
        declarations: [{ name: 'protocol', type: 'Protocol', initializer: protocol(commands, qemu) }],
      },
      client,
      {
        kind: StructureKind.Function,
        isExported: true,
        isAsync: true,
        name: 'connect',
        parameters: [
          { name: 'address', type: 'Address' },
          { name: 'options', type: 'ConnectOptions', hasQuestionToken: true },
        ],
        returnType: 'Promise<Client>',
        statements: ['return new Client(await Connection.open(address, protocol, options));'],
        docs: toDocs('Connects to a server, or starts one.\n\n@throws QmpError when no connection comes about in time'),
      },
    ];
  }

  #method(command: Command): OptionalKind<MethodDeclarationStructure> {
    const options = this.#references.runtime(command.allowOob ? 'OobCallOptions' : 'CallOptions');
    const optional =
      !command.arguments ||
      (command.arguments.kind === 'struct' && allMembers(command.arguments).every((member) => member.optional));
    return {
      name: this.#context.names.method(command),
      typeParameters: [{ name: 'U', constraint: 'keyof Events', default: 'never' }],
      parameters: [
        { name: 'args', type: this.#arguments(command), hasQuestionToken: optional },
        { name: 'options', type: `${options}<Events, U>`, hasQuestionToken: true },
      ],
      returnType: `Promise<${this.#references.runtime('Outcome')}<${this.#result(command)}, Events, U>>`,
      statements: [`return this.execute(${quote(command.name)}, args, options);`],
      docs: toDocs(this.#context.comments.definition(command, this.#context.manual(command))),
    };
  }

  #arguments(command: Command): string {
    const type = command.arguments ? this.#references.type(command.arguments) : this.#references.runtime('EmptyObject');
    return command.gen ? type : `${type} & ${this.#references.runtime('FurtherArguments')}`;
  }

  #result({ returns }: Command): string {
    return returns ? this.#references.type(returns) : 'void';
  }
}

/** What the runtime needs to know of the schema. */
function protocol(commands: readonly Command[], qemu: string | undefined): string {
  // The protocol's own command, by which one comes to an understanding with an agent.
  const handshake = commands.some(({ name }) => name === 'guest-sync-delimited') ? 'sync' : 'greeting';
  const silent = commands.filter(({ successResponse }) => !successResponse).map(({ name }) => quote(name));
  const version = qemu === undefined ? '' : ` qemu: ${quote(qemu)},`;
  return `{ handshake: '${handshake}',${version} withoutReply: [${silent.join(', ')}], validators }`;
}
