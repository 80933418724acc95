#!/usr/bin/env node
// Compares `qapi-ts diff --used-by` to checking the same program with `tsc`. Runs alternate; times are CPU time.
// @ts-check
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const runs = 7;
const compiler = 'typescript-6.0';
const from = '7.2';
const to = '10.2';
/** Makes a process write its CPU time, in microseconds, to file descriptor 3. */
const meter = `data:text/javascript,${encodeURIComponent(`
  import { writeSync } from 'node:fs';
  process.on('exit', () => { const { user, system } = process.cpuUsage(); writeSync(3, String(user + system)); });`)}`;

const folder = mkdtempSync(join(tmpdir(), 'qapi-ts-bench-'));
try {
  install();
  for (const { title, program, types } of [
    { title: 'a program of 100 lines, without the types of Node', program: 'backup', types: [] },
    { title: 'the same with the types of Node', program: 'backup', types: ['node'] },
    { title: 'another, with the types of Node', program: 'launcher', types: ['node'] },
  ]) {
    configure(program, types);
    const commands = {
      mine: ['generator/bin/qapi-ts.js', 'diff', from, to, '--used-by', folder, '--fail-on', 'never'],
      theirs: [`node_modules/${compiler}/bin/tsc`, '--noEmit', '--project', folder],
    };
    const times = Array.from({ length: runs }, () => [measure(commands.mine), measure(commands.theirs)]);
    const [mine = 0, theirs = 1] = [0, 1].map((column) => median(times.map((pair) => pair[column] ?? 0)));
    const seconds = [mine, theirs].map((time) => `${(time / 1e6).toFixed(2)} s`).join(' vs. ');
    console.log(`${title}; median of ${runs}: ${seconds}, ratio ${(mine / theirs).toFixed(2)}`);
  }
} finally {
  rmSync(folder, { recursive: true });
}

/** Installs the packages as they are published. */
function install() {
  for (const [workspace, name] of [
    ['runtime', 'runtime'],
    ['generated', 'qemu'],
  ]) {
    for (const path of ['dist', 'package.json']) {
      const target = join(folder, 'node_modules/@qapi-ts', name, path);
      mkdirSync(dirname(target), { recursive: true });
      cpSync(join(repository, workspace, path), target, { recursive: true });
    }
  }
  symlinkSync(join(repository, 'node_modules/@types'), join(folder, 'node_modules/@types'));
  symlinkSync(join(repository, 'node_modules', compiler), join(folder, 'node_modules/typescript'));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
}

/** @param {string} program @param {string[]} types */
function configure(program, types) {
  rmSync(join(folder, 'src'), { recursive: true, force: true });
  cpSync(join(repository, 'test/used-by', program, 'src'), join(folder, 'src'), { recursive: true });
  const compilerOptions = {
    ...{ target: 'ES2022', lib: ['ES2022', 'ESNext.Disposable'], module: 'NodeNext' },
    ...{ strict: true, skipLibCheck: true, types },
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['src'] }));
}

/** Returns the CPU time of a process in microseconds. @param {string[]} args */
function measure(args) {
  const stdio = /** @type {const} */ (['ignore', 'ignore', 'inherit', 'pipe']);
  const { output } = spawnSync(process.execPath, ['--import', meter, ...args], { cwd: repository, stdio: [...stdio] });
  return Number(output[3]);
}

/** @param {number[]} numbers */
function median(numbers) {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? 0;
}
