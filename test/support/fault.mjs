// Injects a fault into the program under test, which loads this file with `node --import`: a call of node:fs fails, or
// the process receives a signal before it.
//
// QAPI_TS_FAULT is `KIND:N` for the N-th call that changes the file system, counted from 1, or `KIND:N:NAME` for the N-th
// call of one function. KIND is a signal, or the code of the error that the call throws. QAPI_TS_FAULT_COUNT is the path of
// a file to which the number of calls is written.
// @ts-check
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { isMainThread } from 'node:worker_threads';

const [kind = '', number = '0', only] = (process.env['QAPI_TS_FAULT'] ?? '').split(':');
const isSignal = kind.startsWith('SIG');
const countFile = process.env['QAPI_TS_FAULT_COUNT'];
/** Functions that fail on a full disk. */
const growing = ['mkdirSync', 'mkdtempSync', 'renameSync', 'writeFileSync', 'fsyncSync'];
const names = isSignal ? [...growing, 'rmdirSync', 'rmSync', 'unlinkSync'] : growing;

const functions = /** @type {Record<string, (...args: unknown[]) => unknown>} */ (/** @type {unknown} */ (fs));
let calls = 0;

if (isMainThread) {
  for (const name of only === undefined ? names : [only]) {
    const original = functions[name];
    if (!original) throw new Error(`node:fs has no ${name}`);
    functions[name] = (...args) => {
      calls += 1;
      if (calls === Number(number)) happen(name, args);
      return original.apply(fs, args);
    };
  }
  syncBuiltinESMExports();
  process.on('exit', () => {
    if (countFile !== undefined) fs.appendFileSync(countFile, `${calls}`);
  });
}

/** @param {string} name @param {unknown[]} args */
function happen(name, [path, text]) {
  if (!isSignal) {
    const syscall = name.replace('Sync', '').toLowerCase();
    throw Object.assign(new Error(`${kind}: ${syscall}`), { code: kind, syscall, path });
  }
  // A killed process may have written a part of the file.
  if (kind === 'SIGKILL' && name === 'writeFileSync' && typeof path === 'string') {
    fs.appendFileSync(path, String(text).slice(0, 10));
  }
  process.kill(process.pid, kind);
}
