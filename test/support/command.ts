/** Runs the generator's command in temporary directories. */

import { spawnSync } from 'node:child_process';
import {
  cpSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const repository = fileURLToPath(new URL('../..', import.meta.url));
export const bin = join(repository, 'generator/bin/qapi-ts.js');
/** The module `fault.mjs`, for `node --import`. It injects a fault. */
export const fault = join(repository, 'test/support/fault.mjs');

export interface Ended {
  /** Null if the process was killed, for example because it exceeded the timeout. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly timeout?: number;
}

/** Runs a program, and kills it if it hangs. */
export function runProgram(
  program: string,
  args: readonly string[],
  { cwd, env = {}, timeout = 25_000 }: RunOptions,
): Ended {
  const options = { cwd, env: { ...process.env, ...env }, encoding: 'utf8', timeout } as const;
  const { status, stdout, stderr } = spawnSync(program, args, options);
  return { status, stdout, stderr };
}

export function runNode(args: readonly string[], options: RunOptions): Ended {
  return runProgram(process.execPath, args, options);
}

/** Runs a bash script, in which `"$0" "$1"` is the command, followed by further arguments. */
export function runShell(script: string, options: RunOptions, ...args: readonly string[]): Ended {
  return runProgram('bash', ['-c', script, process.execPath, bin, ...args], options);
}

export function temporaryFolder(label: string): string {
  return mkdtempSync(join(tmpdir(), `qapi-ts-${label}-`));
}

/** Writes a file and creates its missing directories. */
export function writeIn(folder: string, path: string, text: string): void {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

/** Returns the text of each file in a directory, at any depth, by relative path. */
export function filesIn(root: string): Record<string, string> {
  const paths = readdirSync(root, { recursive: true, encoding: 'utf8' }).toSorted();
  const files = paths.filter((path) => lstatSync(join(root, path)).isFile());
  return Object.fromEntries(files.map((path) => [path, readFileSync(join(root, path), 'utf8')]));
}

/**
 * Installs a copy of the generator.
 *
 * @param own dependencies to copy; the others become links
 * @returns the program
 */
export function installCopy(base: string, own: readonly string[] = []): string {
  for (const name of ['bin', 'dist', 'package.json']) {
    cpSync(join(repository, 'generator', name), join(base, 'generator', name), { recursive: true });
  }
  for (const name of ['@qapi-ts/runtime', 'commander', 'json5', 'prettier', 'ts-morph']) {
    const [from, to] = [join(repository, 'node_modules', name), join(base, 'node_modules', name)];
    mkdirSync(dirname(to), { recursive: true });
    if (own.includes(name)) cpSync(from, to, { recursive: true });
    else symlinkSync(from, to);
  }
  return join(base, 'generator/bin/qapi-ts.js');
}

/** Writes the schemas of a small QEMU, in which each server has the same definitions. */
export function writeQemu(tree: string, schema: string): void {
  for (const path of ['qapi', 'qga', 'storage-daemon/qapi']) writeIn(tree, `${path}/qapi-schema.json`, `${schema}\n`);
}
