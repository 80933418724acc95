/** The packages, as they are built, on every version of Node that they are for. */

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { describe, expect, test } from 'vitest';

import { repository } from './support/compile.js';
import { installed, pc } from './support/servers.js';

const own = process.versions.node.split('.')[0];

/** The program, or undefined when it is not there, which is told, and an error in CI. */
function nodeOf(major: string): string | undefined {
  if (major === own) return process.execPath;
  const program = join(repository, '.cache/node', major, 'node_modules/node/bin/node');
  if (existsSync(program)) return program;
  const problem = `LEFT OUT, for want of Node ${major} (scripts/install-nodes): the packages on it`;
  if (process.env['CI']) throw new Error(problem);
  console.warn(problem);
  return undefined;
}

async function run(program: string, ...args: string[]): Promise<{ stdout: string; stderr: string }> {
  return promisify(execFile)(program, args, { cwd: repository });
}

const hasQemu = installed(['qemu-system-x86_64'], 'the client on other versions of Node');
const cli = join(repository, 'generator/bin/qapi-ts.js');

for (const major of ['20', '22', '24', '26']) {
  const node = nodeOf(major);
  describe.runIf(node !== undefined)(`Node ${major}`, () => {
    const program = node ?? '';

    test('is what it says', async () => {
      const { stdout } = await run(program, '--version');
      expect(stdout).toMatch(new RegExp(`^v${major}\\.`, 'u'));
    });

    test.runIf(hasQemu)('runs the client', async () => {
      const smoke = join(repository, 'test/support/smoke.js');
      // Neither warnings nor what a server has to complain of.
      expect(await run(program, smoke, 'qemu-system-x86_64', ...pc)).toEqual({ stdout: 'done\n', stderr: '' });
    });

    // Everything else runs it on this one.
    test.runIf(major !== own)('runs the generator', async () => {
      expect(await run(program, cli, '--version')).toMatchObject({
        stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/u),
      });
      expect(await run(program, cli, 'check')).toMatchObject({ stdout: '' });
    });
  });
}
