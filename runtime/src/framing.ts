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

  /** @param text what it is about; the message does not quote it, because it may hold secrets */
  constructor(
    problem: string,
    readonly text = '',
  ) {
    super(problem);
  }
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
  /** Whether a delimiter ends what came before it. */
  #delimited = false;
  /** Whether everything is dropped until a delimiter comes. */
  #dropping = false;

  constructor(limit: number = defaultMessageLimit) {
    this.#limit = limit;
  }

  /** Drops everything up to and including the next 0xFF byte. Any later one ends what is unfinished before it, too. */
  resync(): void {
    this.#delimited = true;
    this.#dropping = true;
    this.#lineLength = 0;
    this.#unfinished = undefined;
  }

  /**
   * Takes a chunk of any size, and gives every message that it completes.
   *
   * @throws FramingError; nothing can be read after it
   */
  push(chunk: Uint8Array, emit: Emit): void {
    let bytes = this.#delimited ? this.#behindDelimiter(chunk) : chunk;
    if (this.#lineLength > 0) {
      const end = bytes.indexOf(newline);
      this.#keep(end === -1 ? bytes : bytes.subarray(0, end));
      if (end === -1) return;
      this.#takeLine(this.#takeKept(), emit);
      bytes = bytes.subarray(end + 1);
    }
    const end = bytes.lastIndexOf(newline) + 1;
    if (end > this.#limit) this.#takeLongLines(bytes.subarray(0, end), emit);
    else if (end > 0) this.#takeLines(decode(bytes, 0, end), emit);
    if (end < bytes.length) this.#keep(bytes.subarray(end));
  }

  #behindDelimiter(chunk: Uint8Array): Uint8Array {
    const at = chunk.lastIndexOf(delimiter);
    if (at !== -1) {
      this.resync();
      this.#dropping = false;
    }
    return this.#dropping ? new Uint8Array(0) : chunk.subarray(at + 1);
  }

  #keep(bytes: Uint8Array): void {
    if (this.#dropping) return;
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

  #takeKept(): string {
    const line = decode(this.#line, 0, this.#lineLength);
    this.#lineLength = 0;
    if (this.#line.length > keptCapacity) this.#line = new Uint8Array(0);
    return line;
  }

  /** Takes whole lines, which together are not too long for a message. */
  #takeLines(text: string, emit: Emit): void {
    for (let begin = 0; begin < text.length;) {
      const end = text.indexOf('\n', begin);
      this.#takeLine(text.slice(begin, end), emit);
      begin = end + 1;
    }
  }

  /** Takes whole lines, of which each may be too long for a message. */
  #takeLongLines(bytes: Uint8Array, emit: Emit): void {
    for (let begin = 0; begin < bytes.length;) {
      const end = bytes.indexOf(newline, begin);
      if (end - begin > this.#limit) throw this.#tooLong();
      this.#takeLine(decode(bytes, begin, end), emit);
      begin = end + 1;
    }
  }

  #takeLine(line: string, emit: Emit): void {
    // Whoever got a message may have asked for a delimiter: what came in before it is of no interest any more.
    if (this.#dropping) return;
    // Nearly every line is a whole message, and that is found out by parsing it.
    const message = this.#unfinished || !looksWhole(line) ? undefined : tryParse(line);
    if (message === undefined) this.#continue(line, emit);
    else emit(message, line);
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
    if (message === undefined) throw new FramingError('not JSON', text);
    emit(message, text);
  }

  #tooLong(): FramingError {
    return new FramingError(`a message of more than ${this.#limit} bytes`);
  }
}

function decode(bytes: Uint8Array, begin: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + begin, end - begin).toString('utf8');
}

/** A larger buffer than this is not kept for the next line. */
const keptCapacity = 1024 * 1024;

/** Whether a line may be a whole message: an object from its first character to its last. */
function looksWhole(line: string): boolean {
  if (line.charCodeAt(0) !== 0x7b) return false;
  const last = line.charCodeAt(line.length - 1);
  return last === 0x7d || (last === 0x0d && line.charCodeAt(line.length - 2) === 0x7d);
}

/** @returns undefined for what is no JSON */
function tryParse(text: string): Json | undefined {
  try {
    return parse(text);
  } catch (error) {
    if (error instanceof RangeError) throw new FramingError(`a message that cannot be read: ${error.message}`, text);
    return undefined;
  }
}

/** Lines of a message that is not whole yet. */
class Unfinished {
  readonly #lines: string[] = [];
  /** In bytes, without the last line's end. */
  length = -1;
  #depth = 0;
  #inString = false;

  /** A string cannot go on in another line: what tries to is as whole as it can be. */
  get isOpen(): boolean {
    return this.#depth > 0 && !this.#inString;
  }

  add(line: string): void {
    this.#lines.push(line);
    this.length += Buffer.byteLength(line) + 1;
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
