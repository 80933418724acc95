/** What one more version changes for a program that supports a range. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, describe, expect, it } from 'vitest';

import { formatUse } from '../../generator/src/diff/change.js';
import { drift } from '../../generator/src/diff/drift.js';
import { diffRange } from '../../generator/src/diff/range.js';
import { introspect } from '../../generator/src/introspect.js';
import { schemaOf } from '../support/schema.js';

/** Returns `VERDICT USE: TEXT` of each change, from all texts but the last to the last. */
function changes(...texts: readonly string[]): string[] {
  const range = texts.slice(0, -1).map((text, index) => ({ version: `${index + 1}.0.0`, schema: schemaOf(text) }));
  const { changes: found } = diffRange(range, schemaOf(texts.at(-1) ?? ''), `${texts.length}.0.0`);
  return found.map(({ verdict, uses: [use], text }) => `${verdict} ${formatUse(use)}: ${text}`);
}

const result = (members: string): string =>
  `{ 'struct': 'R', 'data': { ${members} } } { 'command': 'c', 'returns': 'R' }`;
const call = (members: string): string => `{ 'command': 'c', 'data': { ${members} } }`;

describe('diffRange', () => {
  it.each<{ title: string; texts: string[]; want: string[] }>([
    { title: 'nothing changes', texts: [call("'a': 'int'"), call("'a': 'int'"), call("'a': 'int'")], want: [] },
    {
      title: 'a command that every version had was removed',
      texts: ["{ 'command': 'c' } { 'command': 'd' }", "{ 'command': 'c' } { 'command': 'd' }", "{ 'command': 'c' }"],
      want: ['breaking d: the command was removed'],
    },
    {
      title: 'a command that the program has to ask for anyway was removed',
      texts: ["{ 'command': 'c' }", "{ 'command': 'c' } { 'command': 'd' }", "{ 'command': 'c' }"],
      want: [],
    },
    {
      title: 'a command is new',
      texts: ["{ 'command': 'c' }", "{ 'command': 'c' }", "{ 'command': 'c' } { 'command': 'd' }"],
      want: ['harmless d: the command is new'],
    },
    {
      title: 'an event was removed, and another is new',
      texts: ["{ 'event': 'A' }", "{ 'event': 'A' }", "{ 'event': 'B' }"],
      want: ['breaking A: the event was removed', 'harmless B: the event is new'],
    },
    {
      title: 'a member that every result had was removed',
      texts: [result("'a': 'int', 'b': 'int'"), result("'a': 'int', 'b': 'int'"), result("'a': 'int'")],
      want: ["breaking c: result.b: result member 'b' is now optional: readers may not find it"],
    },
    {
      title: 'a member that some results lack was removed',
      texts: [result("'a': 'int'"), result("'a': 'int', 'b': 'int'"), result("'a': 'int'")],
      want: [],
    },
    {
      title: 'an argument was removed, although the oldest version did not have it either',
      texts: [call("'a': 'int'"), call("'a': 'int', '*b': 'int'"), call("'a': 'int'")],
      want: ["breaking c: arguments.b: argument 'b' was removed: calls that pass it are rejected"],
    },
    {
      title: 'an argument becomes mandatory',
      texts: [call("'*a': 'int'"), call("'*a': 'int'"), call("'a': 'int'")],
      want: ["breaking c: arguments.a: argument 'a' is now mandatory: calls that omit it are rejected"],
    },
    {
      title: 'a result has another type',
      texts: [result("'a': 'int'"), result("'a': 'int'"), result("'a': 'str'")],
      want: [
        "breaking c: result.a: result member 'a' changed from 'int' to an alternate of number, string: readers may receive values they do not expect",
      ],
    },
  ])('$title', ({ texts, want }) => {
    expect(changes(...texts)).toEqual(want);
  });
});

describe('drift of a range', () => {
  const folder = mkdtempSync(join(tmpdir(), 'qapi-ts-drift-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  /** Returns what the reply of an agent of a version is compared to. */
  async function comparedTo(version: string): Promise<string> {
    const file = join(folder, 'guest-info.json');
    const info = { version, supported_commands: [{ name: 'guest-info', enabled: true, 'success-response': true }] };
    writeFileSync(file, JSON.stringify({ return: info }));
    const { old } = await drift({ qemu: '7.2..10.0', introspection: file, server: 'qga' });
    return old.title;
  }

  it.each([
    ['7.2.9', '7.2.0 (qga)'],
    ['10.0.2', '10.0.13 (qga)'],
    ['9.1.0', '7.2.0 (qga)'],
    ['5.2.0', '7.2.0 (qga)'],
    ['11.1.0', '10.0.13 (qga)'],
  ])('QEMU %s is compared to %s', async (version, want) => {
    expect(await comparedTo(version)).toBe(want);
  });

  it('needs the version of the server', async () => {
    const file = join(folder, 'schema.json');
    writeFileSync(file, JSON.stringify(introspect(schemaOf(call("'a': 'int'")), () => true)));
    const options = { qemu: '7.2..10.0', introspection: file, server: 'qmp' } as const;
    await expect(drift(options)).rejects.toThrow(`is unknown: instead of the range 7.2..10.0, use one version`);
  });
});
