// Loaded by `node --import` before the program under test: makes one call of node:fs fail, or sends a signal to the process before it.
//
// QAPI_TS_FAULT is `KIND:N`, for the N-th of the calls that change the file system, counted from 1, or `KIND:N:NAME` for those of one
// function. KIND is a signal, or the code of an error, which the call throws. QAPI_TS_FAULT_COUNT names a file that gets the number of calls.
// @ts-check
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { isMainThread } from 'node:worker_threads';

const [kind = '', number = '0', only] = (process.env['QAPI_TS_FAULT'] ?? '').split(':');
const isSignal = kind.startsWith('SIG');
const countFile = process.env['QAPI_TS_FAULT_COUNT'];
/** What a full disk refuses. */
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
  // A process that is killed may have written a part.
  if (kind === 'SIGKILL' && name === 'writeFileSync' && typeof path === 'string') {
    fs.appendFileSync(path, String(text).slice(0, 10));
  }
  process.kill(process.pid, kind);
}
