// A minimal QMP client: a socket, JSON.parse and a queue of promises. It is the baseline for measuring the runtime, and
// unfit for any other use: it has no ids, no errors, no exact integers, and does not handle a lost connection.
// @ts-check
import { connect } from 'node:net';

/**
 * @typedef {{
 *   execute(command: string, args?: object): Promise<any>,
 *   on(name: string, listener: (event: any) => void): void,
 *   close(): void,
 * }} BareClient
 */

/**
 * @param {string} path @param {number} [window] the maximum number of commands in flight
 * @returns {Promise<BareClient>}
 */
export function connectBare(path, window = Infinity) {
  const socket = connect(path).setEncoding('utf8');
  /** @type {Map<string, (event: any) => void>} */
  const listeners = new Map();
  /** @type {((result: any) => void)[]} */
  const waiting = [];
  let answered = 0;
  /** @type {string[]} */
  const requests = [];
  let sent = 0;
  let scheduled = false;
  let text = '';

  const flush = () => {
    scheduled = false;
    const end = Math.min(requests.length, answered + window);
    if (end === sent) return;
    socket.write(requests.slice(sent, end).join(''));
    sent = end;
  };
  /** @param {string} command @param {object} [args] */
  const execute = (command, args) =>
    new Promise((resolve) => {
      waiting.push(resolve);
      requests.push(JSON.stringify({ execute: command, arguments: args }));
      if (scheduled) return;
      scheduled = true;
      queueMicrotask(flush);
    });

  return new Promise((resolve) => {
    /** @param {any} message */
    const take = (message) => {
      if (message.event !== undefined) listeners.get(message.event)?.(message);
      else if (message.QMP !== undefined) {
        const { capabilities } = message.QMP;
        void execute('qmp_capabilities', capabilities.length > 0 ? { enable: capabilities } : undefined).then(() =>
          resolve({
            execute,
            on: (name, listener) => void listeners.set(name, listener),
            close: () => void socket.destroy(),
          }),
        );
      } else {
        waiting[answered]?.(message.return);
        answered += 1;
        if (answered === waiting.length) waiting.length = requests.length = answered = sent = 0;
      }
    };
    socket.on('data', (/** @type {string} */ chunk) => {
      text += chunk;
      let begin = 0;
      for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', begin)) {
        take(JSON.parse(text.slice(begin, end)));
        begin = end + 1;
      }
      text = text.slice(begin);
      if (requests.length > sent) flush();
    });
  });
}
