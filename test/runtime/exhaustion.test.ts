/** With the default limits, no message from a server ends a process with a heap of 512 MB. */

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { expect, test } from 'vitest';

const program = fileURLToPath(new URL('../support/hostile-messages.js', import.meta.url));

const wanted: readonly [what: RegExp, outcome: RegExp][] = [
  [/^endless deep/u, /: cannot read a message: it nests more than 1024 levels deep/u],
  [/^an endless string/u, /: a message of more than \d+ bytes; raise messageLimit to accept it$/u],
  [/^endless/u, /: cannot read a message: it has more than \d+ values; raise messageLimit to accept it$/u],
  [/^(?:a|many|space|newlines)\b(?! line of )/u, /: a result$/u],
  [/^an error of/u, /: CommandError: set_password: /u],
  [/^a line of (?:members|options)/u, /: (?:not JSON|the server closed the connection)/u],
  [/^(?:random bytes|a line of 0xFF)/u, /: (?:not JSON|the server closed the connection)/u],
  [/^bytes of 0xFF/u, /: (?:a message of more than \d+ bytes|the server closed the connection)/u],
];

test.each(['monitor', 'agent'])('no message from a %s ends the process', { timeout: 300_000 }, async (kind) => {
  const { stdout } = await promisify(execFile)(process.execPath, ['--max-old-space-size=512', program, kind]);
  const lines = stdout.trim().split('\n');
  expect(lines.pop()).toBe('alive');
  expect(lines.length).toBe(46);
  for (const line of lines) expect(line).toMatch(wanted.find(([what]) => what.test(line))?.[1] ?? /^$/u);
});
