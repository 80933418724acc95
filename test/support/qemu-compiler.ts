/** QEMU's own schema compiler, in Python. */

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

/** Its first error, or `accepted`. Some schemas make it fail itself, with no place. */
export type Verdict = 'accepted' | { readonly file?: string; readonly line?: number; readonly message: string };

/** Takes a list of paths as JSON, gives a list of verdicts: one process for all files is what makes this quick. */
const driver = `
import json, sys
sys.path.insert(0, sys.argv[1])
from qapi.error import QAPIError
from qapi.schema import QAPISchema

def verdict(path):
    try:
        QAPISchema(path)
        return 'accepted'
    except QAPIError as error:
        info = getattr(error, 'info', None)
        place = {'file': info.fname, 'line': info.line} if info else {}
        return {**place, 'message': getattr(error, 'msg', str(error))}
    except Exception as error:
        return {'message': 'failed: ' + repr(error)}

json.dump([verdict(path) for path in json.load(sys.stdin)], sys.stdout)
`;

/** The command that runs it, or undefined when there is no Python here, which is then told. */
export function python(leftOut: string): string | undefined {
  if (spawnSync('python3', ['-c', 'import sys; sys.exit(sys.version_info < (3, 8))']).status === 0) return 'python3';
  console.warn(`LEFT OUT, for want of Python 3.8 or newer: ${leftOut}`);
  return undefined;
}

/** @param tree a QEMU source tree */
export function qemuVerdicts(tree: string, paths: readonly string[]): Verdict[] {
  const { status, stdout, stderr } = spawnSync('python3', ['-B', '-c', driver, join(tree, 'scripts')], {
    input: JSON.stringify(paths),
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  if (status !== 0) throw new Error(`QEMU's compiler did not run: ${stderr}`);
  return JSON.parse(stdout) as Verdict[];
}
