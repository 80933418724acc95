#!/usr/bin/env node
import { existsSync } from 'node:fs';
import * as nodeModule from 'node:module';

// Node 22 and newer keep what they have compiled, which saves a good part of the start.
nodeModule.enableCompileCache?.();

const cli = new URL('../dist/cli.js', import.meta.url);
const program = existsSync(cli)
  ? await load()
  : refuse('qapi-ts is not built yet: run `npm run build` in its repository', 3);
if (program) {
  // Node itself would exit with 1, which means something else here.
  process.on('uncaughtException', (error) => process.exit(program.tellFault(error)));
  process.exitCode = await program.main(process.argv.slice(2));
}

async function load() {
  try {
    return await import(cli.href);
  } catch (error) {
    const [reason] = String(error?.message ?? error).split('\n', 1);
    return error?.code === 'ERR_MODULE_NOT_FOUND'
      ? refuse(`the dependencies of qapi-ts are missing: install it again (${reason})`, 3)
      : refuse(`qapi-ts cannot be loaded: ${reason}`, 70);
  }
}

function refuse(problem, exitCode) {
  process.stderr.write(`error: ${problem}\n`);
  process.exitCode = exitCode;
}
