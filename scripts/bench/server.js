#!/usr/bin/env node
// A QMP server that replies immediately, with as little work as possible: `server.js SOCKET FILE`, where FILE contains
// its messages (see `startServer`). Besides the commands with results in FILE, it knows
//   x-flood {count}  sends `count` thousand identical events, then replies
//   x-emit {count}   sends `count` numbered events, then replies
//   x-later {delay}  replies after `delay` milliseconds
//   x-drop           drops the connection
// and replies to anything else with an empty object.
// @ts-check
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';

const [path = '', file = ''] = process.argv.slice(2);
/** @type {{ greeting: string, replies: Record<string, string>, event: string }} */
const { greeting, replies, event } = JSON.parse(readFileSync(file, 'utf8'));
const [beforeNumber = '', afterNumber = ''] = event.split('NUMBER');
const thousandEvents = Buffer.from(`${beforeNumber}0${afterNumber}\r\n`.repeat(1000));

const openBrace = 0x7b;
const closingBrace = 0x7d;

const server = createServer((socket) => {
  socket.write(greeting);
  let rest = Buffer.alloc(0);
  let events = 0;
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    const bytes = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
    let begin = 0;
    let depth = 0;
    let answer = '';
    // No client puts braces into the strings of these requests, and not every client ends a request with a newline.
    for (let at = 0; at < bytes.length; at += 1) {
      const byte = bytes[at];
      if (byte === openBrace) depth += 1;
      else if (byte === closingBrace) {
        depth -= 1;
        if (depth > 0) continue;
        answer += reply(bytes.toString('latin1', begin, at + 1));
        begin = at + 1;
      }
    }
    rest = bytes.subarray(begin);
    if (answer !== '') socket.write(answer, 'latin1');
  });

  /** @param {string} request */
  function reply(request) {
    const nameAt = request.indexOf(':') + 1;
    const quote = request.indexOf('"', nameAt);
    const command = request.slice(quote + 1, request.indexOf('"', quote + 1));
    const idAt = request.lastIndexOf('"id":');
    const end = idAt === -1 ? '}\r\n' : `, ${request.slice(idAt)}\r\n`;
    const known = replies[command];
    if (known !== undefined) return known + end;
    const empty = `{"return": {}${end}`;
    if (!command.startsWith('x-')) return empty;
    const { arguments: args = {} } = JSON.parse(request);
    if (command === 'x-emit') return emit(args.count) + empty;
    if (command === 'x-flood') {
      for (let index = 0; index < args.count; index += 1) socket.write(thousandEvents);
      return empty;
    }
    if (command === 'x-later') setTimeout(() => socket.write(empty), args.delay);
    if (command === 'x-drop') socket.destroy();
    return '';
  }

  /** @param {number} count */
  function emit(count) {
    let text = '';
    for (let index = 0; index < count; index += 1) {
      text += `${beforeNumber}${events}${afterNumber}\r\n`;
      events += 1;
    }
    return text;
  }
});

server.listen({ path, backlog: 1024 }, () => process.stdout.write('listening\n'));
// Exit together with the parent process.
process.stdin.on('end', () => process.exit()).resume();
