#!/usr/bin/env node
import { existsSync } from 'node:fs';
import * as nodeModule from 'node:module';

// Node 22 and newer keep what they have compiled, which saves a good part of the start.
nodeModule.enableCompileCache?.();

const cli = new URL('../dist/cli.js', import.meta.url);
if (existsSync(cli)) {
  const { main, tellFault } = await import(cli.href);
  // Node itself would exit with 1, which means something else here.
  process.on('uncaughtException', (error) => process.exit(tellFault(error)));
  process.exitCode = await main(process.argv.slice(2));
} else {
  process.stderr.write('error: qapi-ts is not built yet: run `npm run build` in its repository\n');
  process.exitCode = 3;
}
