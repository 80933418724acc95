/**
 * Bytes into messages. Knows no socket, and nothing of what messages mean.
 *
 * A message is a JSON value; on the wire each ends with a newline (LF or CRLF), and a monitor with `pretty=on` puts newlines inside,
 * too. QEMU's manual: "QEMU Machine Protocol Specification", "General Definitions".
 */

import { depthProblem, maxDepth, parse, type Json } from './json.js';

/** What is not a message, or exceeds a limit. */
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

/** What a message may have at most. */
export interface Limits {
  readonly bytes: number;
  /** Values of all kinds, at whatever depth: each takes up to 150 bytes of memory, however short its text is. */
  readonly values: number;
}

const newline = 0x0a;
const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
/** Comes before a guest agent's reply to `guest-sync-delimited`; no byte of JSON in UTF-8. */
const delimiter = 0xff;
/** So many bytes are decoded at once: as many as a socket reads. */
const windowSize = 64 * 1024;
/** A larger buffer than this is not kept for the next message. */
const keptCapacity = 1024 * 1024;
const nothing = /* @__PURE__ */ new Uint8Array(0);

export class Framer {
  readonly #limits: Limits;
  /** The beginning of a message. Grows by doubling, so that small chunks are not copied again and again. */
  #kept = nothing;
  #keptLength = 0;
  /** What is known of the beginning; undefined while that is on one line, and too short to exceed the limit of values. */
  #scan: Scan | undefined;
  /** Whether a delimiter ends what came before it. */
  #delimited = false;
  /** Whether everything is dropped until a delimiter comes. */
  #dropping = false;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** Drops everything up to and including the next 0xFF byte. Any later one ends what is unfinished before it, too. */
  resync(): void {
    this.#delimited = true;
    this.#dropping = true;
    this.#keptLength = 0;
    this.#scan = undefined;
  }

  /**
   * Takes a chunk of any size, and gives every message that it completes.
   *
   * @throws FramingError; nothing can be read after it
   */
  push(chunk: Uint8Array, emit: Emit): void {
    let bytes = this.#delimited ? this.#behindDelimiter(chunk) : chunk;
    // To decode many lines at once is faster where each is a message. Where one is not, the rest of the chunk goes line by line.
    let isByLine = false;
    // Whoever gets a message may ask for a delimiter: what came in before it is of no interest any more.
    while (bytes.length > 0 && !this.#dropping) {
      if (this.#scan) {
        isByLine = true;
        bytes = this.#scanOn(this.#scan, bytes, emit);
      } else if (isByLine || this.#keptLength > 0) {
        bytes = this.#endLine(bytes, emit);
      } else {
        bytes = this.#takeLines(bytes, emit);
      }
    }
  }

  #behindDelimiter(chunk: Uint8Array): Uint8Array {
    const at = chunk.lastIndexOf(delimiter);
    if (at !== -1) {
      this.resync();
      this.#dropping = false;
    }
    return this.#dropping ? nothing : chunk.subarray(at + 1);
  }

  /** Takes the whole lines of a window. They are too short to exceed a limit. @returns what is behind them */
  #takeLines(bytes: Uint8Array, emit: Emit): Uint8Array {
    const size = Math.min(windowSize, this.#limits.bytes, this.#limits.values);
    const end = bytes.lastIndexOf(newline, size - 1) + 1;
    if (end === 0) return this.#endLine(bytes, emit);
    const text = decode(bytes, 0, end);
    for (let begin = 0, lines = 0; begin < text.length && !this.#dropping; lines += 1) {
      const lineEnd = text.indexOf('\n', begin);
      if (!takeLine(text.slice(begin, lineEnd), emit)) {
        this.#scan = new Scan(this.#limits.values);
        return behindLines(bytes, lines);
      }
      begin = lineEnd + 1;
    }
    return bytes.subarray(end);
  }

  /** Goes on with a message on its first line. @returns what is behind that */
  #endLine(bytes: Uint8Array, emit: Emit): Uint8Array {
    const end = bytes.indexOf(newline);
    const line = end === -1 ? bytes : bytes.subarray(0, end);
    if (this.#keptLength + line.length > this.#limits.values) return this.#beginScan(bytes);
    this.#keep(line);
    if (end === -1) return nothing;
    // Nearly every line is a whole message, and that is found out by parsing it.
    if (!takeLine(decode(this.#kept, 0, this.#keptLength), emit)) return this.#beginScan(bytes.subarray(end));
    this.#forget();
    return bytes.subarray(end + 1);
  }

  #beginScan(bytes: Uint8Array): Uint8Array {
    this.#scan = new Scan(this.#limits.values);
    this.#scan.add(this.#kept.subarray(0, this.#keptLength));
    return bytes;
  }

  /** A message that is large, or over several lines, ends with the line in which everything that it opens is closed. */
  #scanOn(scan: Scan, bytes: Uint8Array, emit: Emit): Uint8Array {
    const end = scan.add(bytes.subarray(0, this.#limits.bytes - this.#keptLength + 1));
    this.#keep(end === -1 ? bytes : bytes.subarray(0, end));
    if (end === -1) return nothing;
    const text = decode(this.#kept, 0, this.#keptLength);
    this.#forget();
    const message = tryParse(text);
    if (message !== undefined) emit(message, text);
    else if (text.trim() !== '') throw new FramingError('not JSON', text);
    return bytes.subarray(end + 1);
  }

  #keep(bytes: Uint8Array): void {
    const length = this.#keptLength + bytes.length;
    const limit = this.#limits.bytes;
    if (length > limit) throw new FramingError(`a message of more than ${limit} bytes; messageLimit raises that`);
    if (length > this.#kept.length) {
      const larger = new Uint8Array(Math.min(limit, Math.max(length, this.#kept.length * 2, 1024)));
      larger.set(this.#kept.subarray(0, this.#keptLength));
      this.#kept = larger;
    }
    this.#kept.set(bytes, this.#keptLength);
    this.#keptLength = length;
  }

  #forget(): void {
    this.#keptLength = 0;
    this.#scan = undefined;
    if (this.#kept.length > keptCapacity) this.#kept = nothing;
  }
}

function decode(bytes: Uint8Array, begin: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + begin, end - begin).toString('utf8');
}

function behindLines(bytes: Uint8Array, count: number): Uint8Array {
  let begin = 0;
  for (let line = 0; line < count; line += 1) begin = bytes.indexOf(newline, begin) + 1;
  return bytes.subarray(begin);
}

/** @returns whether there is nothing more to do with a line: it is a whole message, or blank */
function takeLine(line: string, emit: Emit): boolean {
  const message = looksWhole(line) ? tryParse(line) : undefined;
  if (message === undefined) return line.trim() === '';
  emit(message, line);
  return true;
}

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
    if (error instanceof RangeError) throw tooMuch(error.message, text);
    return undefined;
  }
}

/** Whether backslashes escape what is at a place in a string, which begins or goes on at `begin`. */
function isEscapedAt(bytes: Uint8Array, begin: number, at: number): boolean {
  let first = at;
  while (first > begin && bytes[first - 1] === backslash) first -= 1;
  return (at - first) % 2 === 1;
}

function tooMuch(problem: string, text?: string): FramingError {
  return new FramingError(`a message that cannot be read: ${problem}`, text);
}

/**
 * Looks through the beginning of a message without parsing it: what parsing costs is bounded by the depth and the number of values, not
 * by the number of bytes.
 */
class Scan {
  readonly #maxValues: number;
  #values = 1;
  #depth = 0;
  #inString = false;
  #isEscaped = false;

  constructor(maxValues: number) {
    this.#maxValues = maxValues;
  }

  /**
   * @returns where the newline is that ends the message, or -1. A string cannot go on in another line: what tries to is as whole as it can
   *   be.
   * @throws FramingError
   */
  add(bytes: Uint8Array): number {
    // Members of an object take twice the time of variables.
    let [values, depth, inString] = [this.#values, this.#depth, this.#inString];
    let lineEnd = -1;
    let at = 0;
    if (this.#isEscaped && bytes.length > 0 && bytes[0] !== newline) {
      this.#isEscaped = false;
      at = 1;
    }
    for (; at < bytes.length; at += 1) {
      if (inString) {
        // Large messages are mostly of long strings, and native searches are many times faster than a loop.
        if (lineEnd < at) lineEnd = indexIn(bytes, newline, at);
        const end = indexIn(bytes, quote, at);
        if (lineEnd < end) return lineEnd;
        const isEscaped = isEscapedAt(bytes, at, end);
        if (end === bytes.length) {
          this.#isEscaped = isEscaped;
          break;
        }
        at = end;
        inString = isEscaped;
        continue;
      }
      const byte = bytes[at];
      const level = levelOf(byte);
      depth += level;
      if (byte === quote) inString = true;
      else if (byte === comma || level === 1) values += 1;
      else if (byte === newline && depth <= 0) return at;
      if (depth > maxDepth || values > this.#maxValues) throw this.#excess(depth);
    }
    [this.#values, this.#depth, this.#inString] = [values, depth, inString];
    return -1;
  }

  #excess(depth: number): FramingError {
    if (depth > maxDepth) return tooMuch(depthProblem);
    return tooMuch(`it has more than ${this.#maxValues} values; a larger messageLimit raises that`);
  }
}

/** Where a byte is; the length of the bytes where it is not in them. */
function indexIn(bytes: Uint8Array, byte: number, from: number): number {
  const index = bytes.indexOf(byte, from);
  return index === -1 ? bytes.length : index;
}

/** By how much a byte outside strings changes the depth. */
function levelOf(byte: number | undefined): 1 | 0 | -1 {
  if (byte === 0x5b || byte === 0x7b) return 1;
  return byte === 0x5d || byte === 0x7d ? -1 : 0;
}
