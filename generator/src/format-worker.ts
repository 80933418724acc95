/** The other side of format-thread.ts. Nothing imports this file: to load it is to answer the messages of the thread. */

import { parentPort } from 'node:worker_threads';

import { format } from './emit/format.js';
import type { FormatReply, FormatRequest } from './format-thread.js';

parentPort?.on('message', ({ id, text }: FormatRequest) => {
  format(text).then(
    (formatted) => parentPort?.postMessage({ id, text: formatted } satisfies FormatReply),
    (error: unknown) => parentPort?.postMessage({ id, error } satisfies FormatReply),
  );
});
