// Replaces a set of files in three directories, and a whole directory: `write-set.mjs ROOT LABEL`.
// @ts-check
import { InterruptError } from '../../generator/dist/errors.js';
import { replaceWhole } from '../../generator/dist/staged-write.js';

const [root = '', label = ''] = process.argv.slice(2);

try {
  await replaceWhole({
    root,
    folders: [`${root}/a`, `${root}/b`],
    plan: () =>
      new Map([
        ['a/one', label],
        ['b/two', label],
        [`only-${label}`, label],
        [`only-${label === 'old' ? 'new' : 'old'}`, undefined],
        ['tree', new Map([['inner/file', label]])],
      ]),
    verify: () => {},
  });
} catch (error) {
  if (error instanceof InterruptError) process.kill(process.pid, error.signal);
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 3;
}
