/** The built packages on every supported version of Node. */

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { describe, expect, test } from 'vitest';

import { repository } from './support/compile.js';
import { installed, pc } from './support/servers.js';

const own = process.versions.node.split('.')[0];

/** Returns the program, or undefined if it is missing, which is reported and, in CI, an error. */
function nodeOf(major: string): string | undefined {
  if (major === own) return process.execPath;
  const program = join(repository, '.cache/node', major, 'node_modules/node/bin/node');
  if (existsSync(program)) return program;
  const problem = `SKIPPED, missing Node ${major} (scripts/install-nodes): the packages on it`;
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

    test('is the expected version', async () => {
      const { stdout } = await run(program, '--version');
      expect(stdout).toMatch(new RegExp(`^v${major}\\.`, 'u'));
    });

    test.runIf(hasQemu)('runs the client', async () => {
      const smoke = join(repository, 'test/support/smoke.js');
      // Neither Node nor the server prints warnings or errors.
      expect(await run(program, smoke, 'qemu-system-x86_64', ...pc)).toEqual({ stdout: 'done\n', stderr: '' });
    });

    // All other tests run the generator on this version.
    test.runIf(major !== own)('runs the generator', async () => {
      expect(await run(program, cli, '--version')).toMatchObject({
        stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/u),
      });
      expect(await run(program, cli, 'check')).toMatchObject({ stdout: '' });
    });
  });
}
