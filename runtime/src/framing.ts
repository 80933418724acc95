/**
 * Bytes into messages. Knows no socket, and nothing of what messages mean.
 *
 * A message is a JSON value; on the wire each ends with a newline (LF or CRLF), and a monitor with `pretty=on` puts newlines inside,
 * too. QEMU's manual: "QEMU Machine Protocol Specification", "General Definitions".
 */

import { parse, type Json } from './json.js';

/** What is not a message, or too long for one. */
export class FramingError extends Error {
  override readonly name = 'FramingError';
}

/** Gets a message, and its text. */
export type Emit = (message: Json, text: string) => void;

/** The limit of a message's size in bytes, unless another is given. */
export const defaultMessageLimit = 64 * 1024 * 1024;

const newline = 0x0a;
/** Comes before a guest agent's reply to `guest-sync-delimited`; no byte of JSON in UTF-8. */
const delimiter = 0xff;

export class Framer {
  readonly #limit: number;
  /** Bytes without a newline: the begin of a line. Grows by doubling, so that small chunks are not copied again and again. */
  #line = new Uint8Array(0);
  #lineLength = 0;
  /** Lines that are the begin of a message. */
  #unfinished: Unfinished | undefined;
  #resyncing = false;

  constructor(limit: number = defaultMessageLimit) {
    this.#limit = limit;
  }

  /** Drops everything up to and including the next 0xFF byte. */
  resync(): void {
    this.#resyncing = true;
    this.#lineLength = 0;
    this.#unfinished = undefined;
  }

  /**
   * Takes a chunk of any size, and gives every message that it completes.
   *
   * @throws FramingError; nothing can be read after it
   */
  push(chunk: Uint8Array, emit: Emit): void {
    let bytes = chunk;
    if (this.#resyncing) {
      const at = bytes.lastIndexOf(delimiter);
      if (at === -1) return;
      this.#resyncing = false;
      bytes = bytes.subarray(at + 1);
    }
    const last = bytes.lastIndexOf(newline);
    if (last === -1) {
      this.#keep(bytes);
      return;
    }
    let whole = bytes.subarray(0, last + 1);
    if (this.#lineLength > 0) {
      this.#keep(whole);
      whole = this.#line.subarray(0, this.#lineLength);
      this.#lineLength = 0;
    }
    const text = Buffer.from(whole.buffer, whole.byteOffset, whole.byteLength).toString('utf8');
    if (this.#line.length > keptCapacity) this.#line = new Uint8Array(0);
    if (last + 1 < bytes.length) this.#keep(bytes.subarray(last + 1));
    this.#lines(text, emit);
  }

  #keep(bytes: Uint8Array): void {
    const length = this.#lineLength + bytes.length;
    if (length > this.#limit) throw this.#tooLong();
    if (length > this.#line.length) {
      const larger = new Uint8Array(Math.max(length, this.#line.length * 2, 1024));
      larger.set(this.#line.subarray(0, this.#lineLength));
      this.#line = larger;
    }
    this.#line.set(bytes, this.#lineLength);
    this.#lineLength = length;
  }

  /** @param text whole lines */
  #lines(text: string, emit: Emit): void {
    for (let begin = 0; begin < text.length;) {
      const end = text.indexOf('\n', begin);
      const line = text.slice(begin, end);
      begin = end + 1;
      if (line.length > this.#limit) throw this.#tooLong();
      // Nearly every line is a whole message, and that is found out by parsing it.
      const message = this.#unfinished || !looksWhole(line) ? undefined : tryParse(line);
      if (message === undefined) this.#continue(line, emit);
      else emit(message, line);
    }
  }

  /** A message over several lines ends when everything that it opens is closed. */
  #continue(line: string, emit: Emit): void {
    if (!this.#unfinished && line.trim() === '') return;
    const unfinished = (this.#unfinished ??= new Unfinished());
    unfinished.add(line);
    if (unfinished.length > this.#limit) throw this.#tooLong();
    if (unfinished.isOpen) return;
    this.#unfinished = undefined;
    const text = unfinished.text();
    const message = tryParse(text);
    if (message === undefined) throw new FramingError(`not JSON: ${excerpt(text)}`);
    emit(message, text);
  }

  #tooLong(): FramingError {
    return new FramingError(`a message of more than ${this.#limit} bytes`);
  }
}

/** A larger buffer than this is not kept for the next line. */
const keptCapacity = 1024 * 1024;

/** Whether a line may be a whole message: an object from its first character to its last. */
function looksWhole(line: string): boolean {
  if (line.charCodeAt(0) !== 0x7b) return false;
  const last = line.charCodeAt(line.length - 1);
  return last === 0x7d || (last === 0x0d && line.charCodeAt(line.length - 2) === 0x7d);
}

/** @returns undefined for what is no JSON, or nests so deep that it cannot be parsed */
function tryParse(text: string): Json | undefined {
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}

/** Lines of a message that is not whole yet. */
class Unfinished {
  readonly #lines: string[] = [];
  length = 0;
  #depth = 0;
  #inString = false;

  get isOpen(): boolean {
    return this.#depth > 0 || this.#inString;
  }

  add(line: string): void {
    this.#lines.push(line);
    this.length += line.length + 1;
    for (let at = 0; at < line.length; at += 1) {
      const code = line.charCodeAt(at);
      if (this.#inString) {
        if (code === 0x5c) at += 1;
        else if (code === 0x22) this.#inString = false;
      } else if (code === 0x22) this.#inString = true;
      else if (code === 0x7b || code === 0x5b) this.#depth += 1;
      else if (code === 0x7d || code === 0x5d) this.#depth -= 1;
    }
  }

  text(): string {
    return this.#lines.join('\n');
  }
}

function excerpt(text: string): string {
  const start = JSON.stringify(text.slice(0, 60));
  return text.length > 60 ? `${start}...` : start;
}
