/** What one more version changes for a program that supports a range. */

import { describe, expect, it } from 'vitest';

import { formatUse } from '../../generator/src/diff/change.js';
import { diffRange } from '../../generator/src/diff/range.js';
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
