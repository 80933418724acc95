#!/usr/bin/env node
import { existsSync } from 'node:fs';
import * as nodeModule from 'node:module';

// Node 22 and newer can cache compiled code, which makes startup considerably faster.
nodeModule.enableCompileCache?.();

const cli = new URL('../dist/cli.js', import.meta.url);
const program = existsSync(cli)
  ? await load()
  : refuse('qapi-ts is not built: run `npm run build` in its repository', 3);
if (program) {
  // By default, Node exits with 1, which has another meaning here.
  process.on('uncaughtException', (error) => process.exit(program.reportBug(error)));
  process.exitCode = await program.main(process.argv.slice(2));
}

async function load() {
  try {
    return await import(cli.href);
  } catch (error) {
    const [reason] = String(error?.message ?? error).split('\n', 1);
    return error?.code === 'ERR_MODULE_NOT_FOUND'
      ? refuse(`a dependency of qapi-ts is missing: reinstall qapi-ts (${reason})`, 3)
      : refuse(`qapi-ts cannot be loaded: ${reason}`, 70);
  }
}

function refuse(problem, exitCode) {
  process.stderr.write(`error: ${problem}\n`);
  process.exitCode = exitCode;
}
