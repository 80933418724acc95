/**
 * There is a decision for every member of a command's arguments or result whose name or documentation suggests a
 * secret, so a new QEMU cannot add one unnoticed. Documentation is checked if QEMU's own sources are available; names
 * are always checked.
 */

import { join } from 'node:path';

import { describe, expect, test } from 'vitest';

import { currentVersion, embeddedRoot, embeddedVersions, servers } from '../generator/src/embedded.js';
import { loadSchema } from '../generator/src/frontend/load.js';
import { isObjectType, type Command, type ObjectType, type Schema, type Type } from '../generator/src/model.js';
import { stringify, type Json, type JsonObject } from '../runtime/src/index.js';
import { hasSecretResult, hideSecrets, secretsIn, shownRequest } from '../runtime/src/secrets.js';
import { readExample } from './support/examples.js';
import { qemuSchemas } from './support/qemu.js';
import { schemaOf } from './support/schema.js';

const suggestive =
  /passw|passphrase|secret|\bkeys?\b|keyfile|token|credential|cookie|private|\bur[il]s?\b|json:|b64|base64|\bauth\b|input-data|environ|command.?line|file-?name/iu;

/** Whether a member's value is hidden, or only credentials within it, or why it is not a secret. */
type Decision = 'hidden' | 'credentials' | { readonly shown: string };

const named = { shown: 'names an object, an address, a user or a file of the host' };
const manner = { shown: 'specifies how or when, not what' };
const number = { shown: 'is a number that grants no access' };
const evidence = { shown: 'is meant to be public, or grants no access by itself' };

const decisions: Readonly<Record<string, Decision>> = {
  'AudiodevJackPerDirectionOptions.server-name': named,
  'AuthZListFileProperties.filename': named,
  'block-commit.backing-file': 'credentials',
  'block-commit.base': 'credentials',
  'block-commit.top': 'credentials',
  'block-stream.backing-file': 'credentials',
  'block_passwd.password': 'hidden',
  'blockdev-change-medium.filename': 'credentials',
  'BlockdevCreateOptionsFile.filename': 'credentials',
  'BlockDeviceInfo.file': 'credentials',
  'BlockdevOptionsBlkdebug.config': named,
  'BlockdevOptionsCurlBase.password-secret': named,
  'BlockdevOptionsCurlBase.proxy-password-secret': named,
  'BlockdevOptionsCurlBase.url': 'credentials',
  'BlockdevOptionsCurlHttp.cookie': 'hidden',
  'BlockdevOptionsCurlHttp.cookie-secret': named,
  'BlockdevOptionsCurlHttps.cookie': 'hidden',
  'BlockdevOptionsCurlHttps.cookie-secret': named,
  'BlockdevOptionsFile.filename': 'credentials',
  'BlockdevOptionsIoUring.filename': 'credentials',
  'BlockdevOptionsIscsi.password-secret': named,
  'BlockdevOptionsLUKS.key-secret': named,
  'BlockdevOptionsNbd.tls-creds': named,
  'BlockdevOptionsRbd.key-secret': named,
  'BlockNodeInfo.backing-filename': 'credentials',
  'BlockNodeInfo.backing-filename-format': manner,
  'BlockNodeInfo.filename': 'credentials',
  'BlockNodeInfo.full-backing-filename': 'credentials',
  'change-vnc-password.password': 'hidden',
  'change.arg': 'hidden',
  'change.target': 'credentials',
  'ChardevInfo.filename': 'credentials',
  'ChardevSocket.tls-creds': named,
  'dump-guest-memory.protocol': 'credentials',
  'dump-skeys.filename': named,
  'dumpdtb.filename': named,
  'EbpfObject.object': evidence,
  'expire_password.time': manner,
  'ExpirePasswordOptions.time': manner,
  'FileMigrationArgs.filename': named,
  'FilterDumpProperties.file': named,
  'FirmwareLog.log': evidence,
  'get-win32-socket.info': evidence,
  'guest-exec.env': 'hidden',
  'guest-exec.input-data': 'hidden',
  'guest-file-write.buf-b64': 'hidden',
  'guest-file-write.count': number,
  'guest-set-user-password.password': 'hidden',
  'guest-set-user-password.username': named,
  'guest-ssh-add-authorized-keys.keys': 'hidden',
  'guest-ssh-add-authorized-keys.username': named,
  'guest-ssh-get-authorized-keys.username': named,
  'guest-ssh-remove-authorized-keys.keys': 'hidden',
  'guest-ssh-remove-authorized-keys.username': named,
  'GuestAuthorizedKeys.keys': 'hidden',
  'GuestExecStatus.err-data': 'hidden',
  'GuestExecStatus.out-data': 'hidden',
  'GuestFileRead.buf-b64': 'hidden',
  'GuestFileRead.count': number,
  'GuestFileWrite.count': number,
  'human-monitor-command.command-line': { shown: 'depends on the command in each line' },
  'ImageInfo.backing-filename': 'credentials',
  'ImageInfo.backing-filename-format': manner,
  'ImageInfo.filename': 'credentials',
  'ImageInfo.full-backing-filename': 'credentials',
  'ImageInfoSpecificQCow2.data-file': 'credentials',
  'inject-ghes-v2-error.cper': evidence,
  'IntWrapper.data': 'hidden',
  'MemoryInfo.base-memory': number,
  'memsave.filename': named,
  'migrate-incoming.uri': 'credentials',
  'migrate-recover.uri': 'credentials',
  'migrate.uri': 'credentials',
  'MigrateSetParameters.cpr-exec-command': 'hidden',
  'MigrateSetParameters.tls-creds': named,
  'MigrateSetParameters.tls-hostname': named,
  'MigrationParameters.cpr-exec-command': 'hidden',
  'MigrationParameters.tls-creds': named,
  'MigrationParameters.tls-hostname': named,
  'nbd-server-start.tls-creds': named,
  'NbdServerOptionsBase.tls-creds': named,
  'NetdevL2TPv3Options.rxcookie': 'hidden',
  'NetdevL2TPv3Options.txcookie': 'hidden',
  'NetDevPasstOptions.path': named,
  'NetdevPasstOptions.path': named,
  'NetdevUserOptions.bootfile': named,
  'NetdevVmnetHostOptions.end-address': manner,
  'NetdevVmnetHostOptions.start-address': manner,
  'NetdevVmnetSharedOptions.end-address': manner,
  'NetdevVmnetSharedOptions.start-address': manner,
  'pmemsave.filename': named,
  'QCryptoBlockAmendOptionsLUKS.iter-time': number,
  'QCryptoBlockAmendOptionsLUKS.new-secret': named,
  'QCryptoBlockAmendOptionsLUKS.old-secret': named,
  'QCryptoBlockAmendOptionsLUKS.secret': 'hidden',
  'QCryptoBlockCreateOptionsLUKS.iter-time': number,
  'QCryptoBlockInfoLUKS.master-key-iters': number,
  'QCryptoBlockInfoLUKSSlot.iters': number,
  'QCryptoBlockInfoLUKSSlot.key-offset': number,
  'QCryptoBlockInfoLUKSSlot.stripes': number,
  'QCryptoBlockOptionsLUKS.key-secret': named,
  'QCryptoBlockOptionsQCow.key-secret': named,
  'qom-get.path': named,
  'query-sev-attestation-report.mnonce': evidence,
  'RbdEncryptionOptionsLUKSBase.key-secret': named,
  'ReplayInfo.filename': named,
  'RngRandomProperties.filename': named,
  'RockerOfDpaFlow.cookie': number,
  'RockerOfDpaFlowKey.priority': number,
  'screendump.filename': named,
  'SecretCommonProperties.iv': evidence,
  'SecretCommonProperties.keyid': named,
  'SecretKeyringProperties.serial': number,
  'SecretProperties.data': 'hidden',
  'SecretProperties.file': named,
  'send-key.hold-time': number,
  'set_password.connected': manner,
  'set_password.password': 'hidden',
  'set_password.protocol': manner,
  'SetPasswordOptions.password': 'hidden',
  'SetPasswordOptionsVnc.display': named,
  'sev-inject-launch-secret.gpa': number,
  'sev-inject-launch-secret.packet-header': 'hidden',
  'sev-inject-launch-secret.secret': 'hidden',
  'SevAttestationReport.data': evidence,
  'SevCapability.cert-chain': evidence,
  'SevCapability.cpu0-id': evidence,
  'SevCapability.pdh': evidence,
  'SevGuestProperties.dh-cert-file': named,
  'SevGuestProperties.session-file': named,
  'SevLaunchMeasureInfo.data': evidence,
  'SevSnpGuestProperties.guest-visible-workarounds': manner,
  'SevSnpGuestProperties.host-data': evidence,
  'SevSnpGuestProperties.id-auth': evidence,
  'SevSnpGuestProperties.id-block': evidence,
  'SpiceInfo.auth': manner,
  'TdxGuestProperties.mrconfigid': evidence,
  'TdxGuestProperties.mrowner': evidence,
  'TdxGuestProperties.mrownerconfig': evidence,
  'TlsCredsProperties.dir': named,
  'TlsCredsX509Properties.passwordid': named,
  'VmdkExtentInfo.filename': 'credentials',
  'VncInfo.auth': manner,
  'xen-load-devices-state.filename': named,
  'xen-save-devices-state.filename': named,
};

type Step = string | 0;

interface Place {
  readonly command: string;
  readonly direction: 'arguments' | 'result';
  readonly path: readonly Step[];
  readonly isNumber: boolean;
}

/** Returns suggestive members as `DEFINITION.MEMBER`, each with one place for each command that contains it. */
function suggestiveMembers(schema: Schema): Map<string, Place[]> {
  const found = new Map<string, Place[]>();
  const commands = [...schema.definitions.values()].filter((one): one is Command => one.kind === 'command');
  for (const command of commands) {
    for (const direction of ['arguments', 'result'] as const) {
      const type = direction === 'arguments' ? command.arguments : command.returns;
      if (type) visit(schema, type, { command: command.name, direction, path: [], isNumber: false }, found, new Set());
    }
  }
  return found;
}

function visit(schema: Schema, type: Type, place: Place, found: Map<string, Place[]>, seen: Set<Type>): void {
  const { path } = place;
  if (seen.has(type)) return;
  seen.add(type);
  const go = (to: Type | undefined, further: readonly Step[] = []): void => {
    if (to) visit(schema, to, { ...place, path: [...path, ...further] }, found, seen);
  };
  if (type.kind === 'array') go(type.element, [0]);
  else if (type.kind === 'alternate') for (const one of type.alternatives) go(one.type);
  else if (isObjectType(type)) {
    if (type.kind === 'union') for (const branch of type.branches) go(branch.type);
    go(type.base);
    for (const member of type.kind === 'struct' ? type.members : []) {
      if (isSuggestive(schema, type, member.name) && mayHoldText(member.type)) {
        const key = `${type.name}.${member.name}`;
        const inner = member.type.kind === 'array' ? ([member.name, 0] as const) : [member.name];
        const isNumber = member.type.kind === 'builtin' && !['str', 'any'].includes(member.type.name);
        found.set(key, [...(found.get(key) ?? []), { ...place, path: [...path, ...inner], isNumber }]);
      }
      go(member.type, [member.name]);
    }
  }
}

function isSuggestive(schema: Schema, owner: ObjectType, member: string): boolean {
  const doc = (owner.doc ?? schema.definitions.get(owner.name)?.doc)?.members.get(member)?.text ?? '';
  return suggestive.test(member) || suggestive.test(doc);
}

/** Members of objects are visited separately, and the values of enums are in the schema. */
function mayHoldText(type: Type): boolean {
  if (type.kind === 'array') return mayHoldText(type.element);
  if (type.kind === 'alternate') return type.alternatives.some((one) => mayHoldText(one.type));
  return type.kind === 'builtin' && type.name !== 'bool' && type.name !== 'null';
}

/** Returns the shown form of a message with a value at a place. */
function shownWith(value: Json, { command, direction, path }: Place): string {
  const holder = path.reduceRight<Json>((inner, step) => (step === 0 ? [inner] : { [step]: inner }), value);
  if (direction === 'arguments') {
    return shownRequest(command, stringify({ execute: command, arguments: holder as JsonObject }));
  }
  return hideSecrets(stringify({ return: holder }), secretsIn(holder, hasSecretResult(command, {})));
}

function check(member: string, place: Place, decision: Decision): void {
  const where = `${member} of ${place.command}`;
  const url = shownWith('https://me:hunter2@example.org/', place);
  expect(url, where).not.toContain('hunter2');
  const plain = shownWith(place.isNumber ? 8675309 : 'ordinary', place);
  if (decision === 'hidden') expect(plain, where).not.toMatch(/8675309|ordinary/u);
  else expect(plain, where).toMatch(/8675309|ordinary/u);
  if (decision === 'credentials') expect(url, where).toContain('example.org');
}

function checkAll(schemas: readonly Schema[]): void {
  const found = schemas.flatMap((schema) => [...suggestiveMembers(schema)]);
  const undecided = new Set(found.map(([member]) => member).filter((member) => !(member in decisions)));
  expect(
    [...undecided],
    'may be secrets: add each to `decisions` and, if it must be hidden and its name is not secret, to runtime/src/secrets.ts',
  ).toEqual([]);
  for (const [member, places] of found) {
    for (const place of places) check(member, place, decisions[member] as Decision);
  }
}

/** The documented schemas of each release, loaded once for all tests. */
const released = new Map<string, readonly Schema[]>();

function releasedSchemas(version: string, tree: string): readonly Schema[] {
  const schemas = released.get(version) ?? servers.map(({ root }) => loadSchema(join(tree, root)));
  released.set(version, schemas);
  return schemas;
}

/** Yields objects that contain the value of a property next to its name. */
function* propertyValues(schema: Schema): Iterable<{ members: readonly string[]; place: Place }> {
  for (const command of schema.definitions.values()) {
    if (command.kind !== 'command') continue;
    for (const direction of ['arguments', 'result'] as const) {
      const type = direction === 'arguments' ? command.arguments : command.returns;
      if (type)
        yield* propertyValuesIn(type, { command: command.name, direction, path: [], isNumber: false }, new Set());
    }
  }
}

function* propertyValuesIn(type: Type, place: Place, seen: Set<Type>): ReturnType<typeof propertyValues> {
  if (seen.has(type)) return;
  seen.add(type);
  if (type.kind === 'array') yield* propertyValuesIn(type.element, { ...place, path: [...place.path, 0] }, seen);
  if (type.kind !== 'struct') return;
  const members = type.members.map(({ name }) => name);
  const value = type.members.find(({ name }) => name === 'value')?.type;
  if (value?.kind === 'builtin' && value.name === 'any') yield { members, place };
  for (const member of type.members) {
    yield* propertyValuesIn(member.type, { ...place, path: [...place.path, member.name] }, seen);
  }
}

function checkPropertyValues(schemas: readonly Schema[]): string[] {
  const found = schemas.flatMap((schema) => [...propertyValues(schema)]);
  for (const { members, place } of found) {
    const label = members.includes('property') ? 'property' : 'name';
    for (const [property, isShown] of [
      ['data', false],
      ['vnc-password', false],
      ['type', true],
    ] as const) {
      const shown = shownWith({ [label]: property, value: 'hunter2' }, place);
      expect(shown.includes('hunter2'), `${property} of ${place.command}`).toBe(isShown);
    }
  }
  return found.map(({ place }) => place.command);
}

describe.each(embeddedVersions())('QEMU %s', (version) => {
  const tree = qemuSchemas(version, `looking for secrets in the documentation of QEMU ${version}`);

  test.skipIf(!tree)('has no potentially secret member without a decision', { timeout: 60_000 }, () => {
    checkAll(releasedSchemas(version, tree ?? ''));
  });

  test.skipIf(!tree)('hides all values of secret properties', { timeout: 60_000 }, () => {
    checkPropertyValues(releasedSchemas(version, tree ?? ''));
  });

  test.skipIf(!tree)('has examples that are shown unchanged', { timeout: 60_000 }, () => {
    const definitions = releasedSchemas(version, tree ?? '').flatMap((schema) => [...schema.definitions.values()]);
    const examples = definitions.flatMap(({ doc }) => doc?.examples ?? []);
    const messages = examples.flatMap(({ text }) => readExample(text).messages.map(({ value }) => value as JsonObject));
    expect(messages.length).toBeGreaterThan(200);
    expect(messages.filter((message) => !isShownWhole(message))).toEqual([]);
  });
});

/** Commands whose examples contain secrets. */
const secretive = new Set([
  'change',
  'input-send-event',
  'migrate',
  'migrate-incoming',
  'ringbuf-write',
  'send-key',
  'set_password',
]);

function isShownWhole(message: JsonObject): boolean {
  const text = stringify(message);
  const command = message['execute'];
  if (typeof command === 'string') return secretive.has(command) || shownRequest(command, text) === text;
  return hideSecrets(text, secretsIn(message['return'], false)) === text;
}

test.each(embeddedVersions())('the embedded schemas of %s have none by name', (version) => {
  checkAll(servers.map((server) => loadSchema(embeddedRoot(version, server))));
});

test('values of secret properties are hidden wherever a command takes or gives them', () => {
  const commands = checkPropertyValues(servers.map((server) => loadSchema(embeddedRoot(currentVersion(), server))));
  expect(commands).toEqual(expect.arrayContaining(['qom-set', 'qom-list-get']));
});

test('a member without a decision fails', () => {
  const schema = schemaOf(
    "{ 'command': 'c', 'data': { 'a': 'S' } } { 'struct': 'S', 'data': { 'api-key': 'str', 'b': 'str' } }",
  );
  expect(() => checkAll([schema])).toThrow(/add each to `decisions`.*S\.api-key/su);
});
