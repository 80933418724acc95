/**
 * A program that launches servers, prints their process IDs, and ends in a given way.
 *
 *     node test/support/parent.js '{"commands": [["qemu-system-x86_64", "-S"]], "end": "abort"}'
 *
 * It waits for a line on its standard input before it ends. To end it by a signal, send the signal from outside.
 */

import childProcess from 'node:child_process';
import { once } from 'node:events';
import { syncBuiltinESMExports } from 'node:module';
import process from 'node:process';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

import { Connection, launch } from '@qapi-ts/runtime';

const {
  commands,
  end,
  delay = 0,
  inWorker = false,
  user,
  options,
} = JSON.parse(isMainThread ? process.argv[2] : workerData);
const protocol = { handshake: 'greeting', withoutReply: ['quit'] };

/** Kills this process `delay` milliseconds after the first server is started; if that is 0, immediately. */
function dieWhenSpawned() {
  const { spawn } = childProcess;
  childProcess.spawn = (command, args, given) => {
    const child = spawn(command, args, given);
    if (args.includes(commands[0].at(-1))) {
      if (delay > 0) setTimeout(() => process.kill(process.pid, 'SIGKILL'), delay);
      else process.kill(process.pid, 'SIGKILL');
    }
    return child;
  };
  syncBuiltinESMExports();
}

async function lineOfInput() {
  await once(process.stdin, 'data');
  process.stdin.destroy();
}

async function main() {
  if (end === 'spawned') dieWhenSpawned();
  if (user !== undefined) process.setuid(user);
  const connections = await Promise.all(
    commands.map(([command, ...args]) => Connection.open(launch(command, args, options), protocol)),
  );
  console.log(JSON.stringify(connections.map((connection) => connection.process.pid)));
  const ends = {
    abort: () => process.abort(),
    exit: () => process.exit(),
    exception: () => {
      throw new Error('forgotten');
    },
    // Neither may leave anything that keeps this program running.
    close: () => Promise.all(connections.map((connection) => connection.close())),
    quit: () => Promise.all(connections.map((connection) => connection.call('quit'))),
  };
  await (isMainThread ? lineOfInput() : once(parentPort, 'message'));
  await ends[end]?.();
}

if (isMainThread && inWorker) {
  const worker = new Worker(new URL(import.meta.url), { workerData: process.argv[2] });
  worker.on('error', () => {});
  await lineOfInput();
  await (end === 'terminate' ? worker.terminate() : worker.postMessage('end'));
} else {
  await main();
}
