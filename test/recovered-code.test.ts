/** Code generated from schemas that were recovered from introspections. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { ts } from 'ts-morph';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';

import { emitJsonSchemas } from '../generator/src/emit/json-schema.js';
import { emitPackage } from '../generator/src/emit/package.js';
import { embeddedRoot, serverOf, type ServerName } from '../generator/src/embedded.js';
import { loadSchema } from '../generator/src/frontend/load.js';
import { introspect } from '../generator/src/introspect.js';
import type { Schema } from '../generator/src/model.js';
import { recoverAgent } from '../generator/src/model/agent.js';
import { recover } from '../generator/src/model/recover.js';
import { readIntrospection } from '../generator/src/sources/introspection.js';
import { resolveVersion } from '../generator/src/sources/versions.js';
import type { AgentCommand } from '../generator/src/sources/guest-info.js';
import { compile, repository } from './support/compile.js';
import { fork } from './support/fork.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'qapi-ts-recovered-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function write(name: string, files: ReadonlyMap<string, string>): void {
  mkdirSync(join(folder, name));
  for (const [file, text] of files) writeFileSync(join(folder, name, file), text);
}

function embedded(version: string, server: ServerName): Schema {
  return loadSchema(embeddedRoot(resolveVersion(version), serverOf(server)));
}

const options = { origin: 'a test', generator: '0.0.0', docs: false };

function recovered(schema: Schema, anchor: Schema): ReadonlyMap<string, string> {
  return emitPackage(recover(readIntrospection(introspect(schema, () => true)), anchor).schema, options);
}

/** Commands of an agent: some of QEMU 10.2's, and some of its own. */
const agentCommands: AgentCommand[] = [
  { name: 'guest-info', enabled: true, replies: true },
  { name: 'guest-sync-delimited', enabled: true, replies: true },
  { name: 'guest-get-vcpus', enabled: false, replies: true },
  { name: 'guest-shutdown', enabled: true, replies: false },
  { name: 'guest-own', enabled: true, replies: true },
  { name: 'guest-own-end', enabled: true, replies: false },
];

function agent(isSameVersion: boolean): Schema {
  return recoverAgent(agentCommands, embedded('10.2', 'qga'), isSameVersion).schema;
}

const program = `
import type { Json, Int64 } from '@qapi-ts/runtime';
import type { Client as Agent } from './agent/index.js';
import type { Client as Fork, QueryForkResultItem } from './fork/index.js';

export async function run(vm: Fork, ga: Agent): Promise<void> {
  const infos: QueryForkResultItem[] = await vm.queryFork();
  const bytes: Int64 | undefined = infos[0]?.items[0]?.bytes;
  await vm.forkSet({ mode: 'fast', host: 'a', port: 1 });
  await vm.forkSet({ mode: 'slow' });
  // @ts-expect-error the branch has members
  await vm.forkSet({ mode: 'fast' });
  const { status } = await vm.queryStatus();
  if (status === 'forked') vm.on('FORK_DONE', ({ data }) => console.log(data.load.average, bytes));
  const json: Json = await ga.guestOwn({ any: ['thing'] });
  await ga.guestOwn();
  const ended: void = await ga.guestOwnEnd();
  console.log(json, ended, (await ga.guestGetVcpus())[0]?.online);
}
`;

describe('compiles', () => {
  beforeAll(() => {
    write('fork', recovered(fork(resolveVersion('10.2')), embedded('10.2', 'qmp')));
    write('daemon', recovered(embedded('10.0', 'qsd'), embedded('7.2', 'qsd')));
    write('agent', emitPackage(agent(true), options));
    writeFileSync(join(folder, 'program.ts'), program);
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  }, 60_000);

  it.each(['5.4', '7.0'] as const)('with TypeScript %s', { timeout: 120_000 }, async (compiler) => {
    const paths = { '@qapi-ts/runtime': [join(repository, 'runtime/dist/index.d.ts')] };
    const isolated = compiler !== '5.4' && { declaration: true, isolatedDeclarations: true };
    expect(await compile({ compiler, include: [folder], options: { paths, ...isolated } })).toBe('');
  });
});

describe('an agent', () => {
  it('has open arguments and any result for commands that no schema knows', () => {
    const { unknown, schema } = recoverAgent(agentCommands, embedded('10.2', 'qga'), true);
    expect([...unknown].map(({ name }) => name)).toEqual(['guest-own', 'guest-own-end']);
    const client = emitPackage(schema, options).get('client.ts') ?? '';
    expect(client).toContain("'guest-own': { arguments: FurtherArguments; result: Json };");
    expect(client).toContain("'guest-own-end': { arguments: FurtherArguments; result: void };");
    expect(client).toContain("withoutReply: ['guest-shutdown', 'guest-own-end']");
    expect(client).toContain("handshake: 'sync'");
    expect(client).not.toContain('guest-exec');
  });

  it('borrows the widths of another version', () => {
    const [same, other] = [agent(true), agent(false)].map((schema) => emitPackage(schema, options));
    expect(same?.get('qapi-schema.ts')).toContain("'logical-id': 'int'");
    expect(other?.get('qapi-schema.ts')).toContain("'logical-id': 'uint64'");
  });

  it('has JSON Schemas', () => {
    const texts = [...emitJsonSchemas(agent(true), options)].map(([, text]) => text);
    const [first = ''] = texts;
    expect(JSON.parse(first)).toMatchObject({
      $defs: expect.objectContaining({ 'guest-own': expect.anything() as unknown }) as unknown,
    });
  });
});

test('the code has no any', () => {
  const files = [
    ...recovered(fork(resolveVersion('10.2')), embedded('10.2', 'qmp')),
    ...emitPackage(agent(true), options),
  ];
  const found: string[] = [];
  for (const [name, text] of files) {
    const visit = (node: ts.Node): void => {
      if (node.kind === ts.SyntaxKind.AnyKeyword) found.push(`${name}: ${node.parent.getText()}`);
      ts.forEachChild(node, visit);
    };
    visit(ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true));
  }
  expect(found).toEqual([]);
});
