#!/usr/bin/env node
import { existsSync } from 'node:fs';
import * as nodeModule from 'node:module';

// Node 22 and newer keep what they have compiled, which saves a good part of the start.
nodeModule.enableCompileCache?.();

// A reader that has seen enough, such as head, is no error.
process.stdout.on('error', (error) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

const cli = new URL('../dist/cli.js', import.meta.url);
if (existsSync(cli)) {
  const { main } = await import(cli.href);
  process.exitCode = await main(process.argv.slice(2));
} else {
  process.stderr.write('error: qapi-ts is not built yet: run `npm run build` in its repository\n');
  process.exitCode = 3;
}
