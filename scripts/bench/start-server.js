// Starts `server.js` in its own process.
// @ts-check
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { event, print, results } from './messages.js';

/**
 * @param {{ oob: boolean }} options whether the server offers out-of-band execution
 * @returns {Promise<{ path: string, stop: () => Promise<void> }>}
 */
export async function startServer({ oob }) {
  const folder = mkdtempSync(join(tmpdir(), 'qapi-ts-bench-'));
  const path = join(folder, 'qmp');
  const file = join(folder, 'messages.json');
  const version = { qemu: { micro: 2, minor: 2, major: 10 }, package: '' };
  const replies = Object.entries(results).map(([command, result]) => [command, `{"return": ${print(result)}`]);
  const messages = {
    greeting: `${print({ QMP: { version, capabilities: oob ? ['oob'] : [] } })}\r\n`,
    replies: Object.fromEntries(replies),
    event: print({ ...event, data: { ...event.data, offset: 'NUMBER' } }).replace('"NUMBER"', 'NUMBER'),
  };
  writeFileSync(file, JSON.stringify(messages));
  const child = spawn(process.execPath, [fileURLToPath(new URL('server.js', import.meta.url)), path, file], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  return {
    path,
    stop: async () => {
      child.stdin.end();
      await once(child, 'exit');
      rmSync(folder, { recursive: true });
    },
  };
}
