/** Secrets of requests that have ended, which a server may still repeat. */

import type { Secret } from './masking.js';

/** How long secrets are kept, in milliseconds. */
const keptTime = 5000;
/** The maximum number of secrets kept: each message is searched for all of them. */
const maxKept = 64;
/** The maximum total length of the secrets in characters. Longer ones are file contents, which servers do not quote. */
const maxLength = 64 * 1024;

function monotonicTime(): number {
  return performance.now();
}

export class PastSecrets {
  readonly #now: () => number;
  /** Oldest first. */
  readonly #kept: { readonly secret: Secret; readonly until: number }[] = [];
  #length = 0;
  #hasResultUntil = -Infinity;

  /** @param now returns the time in milliseconds */
  constructor(now = monotonicTime) {
    this.#now = now;
  }

  /** @param hasSecretResult whether the result of the request is secret */
  add(secrets: readonly Secret[], hasSecretResult: boolean): void {
    if (secrets.length === 0 && !hasSecretResult) return;
    const until = this.#now() + keptTime;
    if (hasSecretResult) this.#hasResultUntil = until;
    for (const secret of secrets) {
      if (secret.length > maxLength) continue;
      this.#kept.push({ secret, until });
      this.#length += secret.length;
    }
    while (this.#kept.length > maxKept || this.#length > maxLength) this.#dropOldest();
  }

  get all(): readonly Secret[] {
    const now = this.#now();
    while ((this.#kept[0]?.until ?? Infinity) <= now) this.#dropOldest();
    return this.#kept.map(({ secret }) => secret);
  }

  /** Whether the result of one of the requests is secret. */
  get hasResult(): boolean {
    return this.#now() < this.#hasResultUntil;
  }

  #dropOldest(): void {
    this.#length -= this.#kept.shift()?.secret.length ?? 0;
  }
}
