/**
 * Splits a byte stream into messages. Does not know about sockets or the meaning of messages.
 *
 * A message is a JSON value followed by a newline (LF or CRLF). A monitor with `pretty=on` also puts newlines inside
 * messages. QEMU's manual: "QEMU Machine Protocol Specification", "General Definitions".
 */

import { depthProblem, maxDepth, parse, type Json } from './json.js';

/** The input is not a message, or exceeds a limit. */
export class FramingError extends Error {
  override readonly name = 'FramingError';

  /** @param text the offending input; the message does not quote it, because it may contain secrets */
  constructor(
    problem: string,
    readonly text = '',
  ) {
    super(problem);
  }
}

/** Receives a message and its text. */
export type Emit = (message: Json, text: string) => void;

/** The limits of a message. */
export interface MessageLimits {
  readonly bytes: number;
  /** The number of values at all depths. Each takes up to 150 bytes of memory, however short its text. */
  readonly values: number;
}

const newline = 0x0a;
const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
/** Precedes a guest agent's reply to `guest-sync-delimited`. This byte never occurs in UTF-8. */
const delimiter = 0xff;
/** The number of bytes decoded at once, which is as many as a socket reads. */
const windowSize = 64 * 1024;
/** A larger buffer is not kept for the next message. */
const keptCapacity = 1024 * 1024;
const nothing = /* @__PURE__ */ new Uint8Array(0);

export class Framer {
  readonly #limits: MessageLimits;
  /** The incomplete message. The buffer grows by doubling, so that small chunks are not copied repeatedly. */
  #kept = nothing;
  #keptLength = 0;
  /**
   * The state of scanning the incomplete message; undefined while the message is on one line and too short to exceed
   * the limit on values.
   */
  #scan: Scan | undefined;
  /** Whether a delimiter discards the input before it. */
  #delimited = false;
  /** Whether all input is dropped until the next delimiter. */
  #dropping = false;

  constructor(limits: MessageLimits) {
    this.#limits = limits;
  }

  /**
   * Drops all input up to and including the next 0xFF byte. From then on, every 0xFF byte also discards an incomplete
   * message before it.
   */
  resync(): void {
    this.#delimited = true;
    this.#dropping = true;
    this.#keptLength = 0;
    this.#scan = undefined;
  }

  /**
   * Consumes a chunk of any size, and emits every message that it completes.
   *
   * @throws FramingError; the framer cannot be used afterwards
   */
  push(chunk: Uint8Array, emit: Emit): void {
    let bytes = this.#delimited ? this.#afterDelimiter(chunk) : chunk;
    // Decoding many lines at once is faster if each line is a message. As soon as one is not, the rest of the chunk is
    // processed line by line.
    let isByLine = false;
    // The receiver of a message may call `resync`, which drops the rest of the chunk.
    while (bytes.length > 0 && !this.#dropping) {
      if (this.#scan) {
        isByLine = true;
        bytes = this.#continueScan(this.#scan, bytes, emit);
      } else if (isByLine || this.#keptLength > 0) {
        bytes = this.#endLine(bytes, emit);
      } else {
        bytes = this.#takeLines(bytes, emit);
      }
    }
  }

  #afterDelimiter(chunk: Uint8Array): Uint8Array {
    const at = chunk.lastIndexOf(delimiter);
    if (at !== -1) {
      this.resync();
      this.#dropping = false;
    }
    return this.#dropping ? nothing : chunk.subarray(at + 1);
  }

  /**
   * Emits the complete lines of a window. The window is so small that no line in it can exceed a limit.
   *
   * @returns the bytes after the last complete line
   */
  #takeLines(bytes: Uint8Array, emit: Emit): Uint8Array {
    const size = Math.min(windowSize, this.#limits.bytes, this.#limits.values);
    const end = bytes.lastIndexOf(newline, size - 1) + 1;
    if (end === 0) return this.#endLine(bytes, emit);
    const text = decode(bytes, 0, end);
    for (let begin = 0, lines = 0; begin < text.length && !this.#dropping; lines += 1) {
      const lineEnd = text.indexOf('\n', begin);
      if (!takeLine(text.slice(begin, lineEnd), emit)) {
        this.#scan = new Scan(this.#limits.values);
        return afterLines(bytes, lines);
      }
      begin = lineEnd + 1;
    }
    return bytes.subarray(end);
  }

  /**
   * Continues a message that is on its first line.
   *
   * @returns the bytes after that line
   */
  #endLine(bytes: Uint8Array, emit: Emit): Uint8Array {
    const end = bytes.indexOf(newline);
    const line = end === -1 ? bytes : bytes.subarray(0, end);
    if (this.#keptLength + line.length > this.#limits.values) return this.#beginScan(bytes);
    this.#keep(line);
    if (end === -1) return nothing;
    // Nearly every line is a complete message, so try to parse it first.
    if (!takeLine(decode(this.#kept, 0, this.#keptLength), emit)) return this.#beginScan(bytes.subarray(end));
    this.#forget();
    return bytes.subarray(end + 1);
  }

  #beginScan(bytes: Uint8Array): Uint8Array {
    this.#scan = new Scan(this.#limits.values);
    this.#scan.add(this.#kept.subarray(0, this.#keptLength));
    return bytes;
  }

  /**
   * Continues a message that is large or spans several lines. It ends with the line that closes its last open bracket.
   */
  #continueScan(scan: Scan, bytes: Uint8Array, emit: Emit): Uint8Array {
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
    if (length > limit)
      throw new FramingError(`a message of more than ${limit} bytes; raise messageLimit to accept it`);
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

function afterLines(bytes: Uint8Array, count: number): Uint8Array {
  let begin = 0;
  for (let line = 0; line < count; line += 1) begin = bytes.indexOf(newline, begin) + 1;
  return bytes.subarray(begin);
}

/** Returns whether the line is done: it is a complete message, or blank. */
function takeLine(line: string, emit: Emit): boolean {
  const message = looksComplete(line) ? tryParse(line) : undefined;
  if (message === undefined) return line.trim() === '';
  emit(message, line);
  return true;
}

/** Returns whether a line can be a complete message: it begins and ends like an object. */
function looksComplete(line: string): boolean {
  if (line.charCodeAt(0) !== 0x7b) return false;
  const last = line.charCodeAt(line.length - 1);
  return last === 0x7d || (last === 0x0d && line.charCodeAt(line.length - 2) === 0x7d);
}

/** Returns undefined if the text is not JSON. */
function tryParse(text: string): Json | undefined {
  try {
    return parse(text);
  } catch (error) {
    if (error instanceof RangeError) throw limitError(error.message, text);
    return undefined;
  }
}

/** Returns whether the character at `at` is escaped, in a string whose known part starts at `begin`. */
function isEscapedAt(bytes: Uint8Array, begin: number, at: number): boolean {
  let first = at;
  while (first > begin && bytes[first - 1] === backslash) first -= 1;
  return (at - first) % 2 === 1;
}

function limitError(problem: string, text?: string): FramingError {
  return new FramingError(`cannot read a message: ${problem}`, text);
}

/**
 * Scans an incomplete message without parsing it, so that the cost of parsing is bounded by depth and number of values
 * rather than by bytes.
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
   * @returns the index of the newline that ends the message, or -1. A newline inside a string also counts: it
   * makes the message invalid, so there is no point in reading on
   * @throws FramingError
   */
  add(bytes: Uint8Array): number {
    // Local variables are twice as fast as object members.
    let [values, depth, inString] = [this.#values, this.#depth, this.#inString];
    let lineEnd = -1;
    let at = 0;
    if (this.#isEscaped && bytes.length > 0 && bytes[0] !== newline) {
      this.#isEscaped = false;
      at = 1;
    }
    for (; at < bytes.length; at += 1) {
      if (inString) {
        // Most bytes of large messages are in long strings, where a native search is many times faster than a loop.
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
      if (depth > maxDepth || values > this.#maxValues) throw this.#limitError(depth);
    }
    [this.#values, this.#depth, this.#inString] = [values, depth, inString];
    return -1;
  }

  #limitError(depth: number): FramingError {
    if (depth > maxDepth) return limitError(depthProblem);
    return limitError(`it has more than ${this.#maxValues} values; raise messageLimit to accept it`);
  }
}

/** Returns the index of a byte, or the length of the array if the byte is not in it. */
function indexIn(bytes: Uint8Array, byte: number, from: number): number {
  const index = bytes.indexOf(byte, from);
  return index === -1 ? bytes.length : index;
}

/** Returns by how much a byte outside strings changes the depth. */
function levelOf(byte: number | undefined): 1 | 0 | -1 {
  if (byte === 0x5b || byte === 0x7b) return 1;
  return byte === 0x5d || byte === 0x7d ? -1 : 0;
}
