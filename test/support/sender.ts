/** Sends commands to a real server that may not survive them. */

import type { ChildProcess } from 'node:child_process';

import type { CommandError, Json, JsonObject, QmpError } from '../../runtime/src/index.js';
import type { AnyClient } from './client.js';
import { kill } from './servers.js';

export interface Running {
  readonly client: AnyClient;
  readonly process: ChildProcess | undefined;
}

/** The outcome of a command. A command is `not sent` if the client rejects its arguments. */
export type Reply = { readonly result: Json } | { readonly refusal: string } | 'died' | 'hung' | 'not sent';

/** The time after which a command counts as hanging, in milliseconds. */
const patience = 1000;

export class Sender implements AsyncDisposable {
  readonly counts = { sent: 0, accepted: 0, refused: 0, died: 0, hung: 0 };
  readonly #start: () => Promise<Running>;
  #running: Running | undefined;

  /** @param start starts a server: initially, and whenever the last one has died */
  constructor(start: () => Promise<Running>) {
    this.#start = start;
  }

  async client(): Promise<AnyClient> {
    this.#running ??= await this.#start();
    return this.#running.client;
  }

  async send(command: string, args: unknown): Promise<Reply> {
    const client = await this.client();
    const reply = await client
      .executeRaw(command, args as JsonObject, { timeout: patience })
      .then((result) => ({ result }), replyOf);
    if (reply === 'not sent') return reply;
    this.counts.sent += 1;
    if (typeof reply !== 'string') this.counts['result' in reply ? 'accepted' : 'refused'] += 1;
    else {
      this.counts[reply] += 1;
      await this[Symbol.asyncDispose]();
    }
    return reply;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await kill(this.#running?.process);
    await this.#running?.client.close();
    this.#running = undefined;
  }
}

function replyOf(error: QmpError): Exclude<Reply, { result: Json }> {
  switch (error.code) {
    case 'ERR_QMP_COMMAND':
      return { refusal: (error as CommandError).desc };
    case 'ERR_QMP_ARGUMENTS':
      return 'not sent';
    case 'ERR_QMP_TIMEOUT':
      return 'hung';
    case 'ERR_QMP_CONNECTION_LOST':
      return 'died';
    default:
      throw error;
  }
}
