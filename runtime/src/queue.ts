/**
 * First in, first out, each item with a number, by which it can be had and taken out: all in constant time on average, which the
 * `shift` of an array is not. (A Map for all of them takes twice the time: tables that it has outgrown keep alive what was in them.)
 */
export class Queue<T> {
  /** Those that were taken out are `undefined`. */
  readonly #items: (T | undefined)[] = [];
  /** The number of the first one of `#items`. */
  #firstNumber = 1;
  /** Where the first one is that was not taken out. */
  #head = 0;
  /** Items before those, by number. A few that stay for ever would keep an array growing with all that come after them. */
  readonly #stragglers = new Map<number, T>();
  #length = 0;

  get length(): number {
    return this.#length;
  }

  get first(): T | undefined {
    const number = this.#firstStraggler;
    return number === undefined ? this.#items[this.#head] : this.#stragglers.get(number);
  }

  /** @returns its number, one more than that of the one before */
  push(item: T): number {
    this.#length += 1;
    return this.#firstNumber + this.#items.push(item) - 1;
  }

  get(number: number): T | undefined {
    return number < this.#firstNumber ? this.#stragglers.get(number) : this.#items[number - this.#firstNumber];
  }

  shift(): T | undefined {
    const number = this.#firstStraggler ?? this.#firstNumber + this.#head;
    const item = this.get(number);
    this.remove(number);
    return item;
  }

  /** @returns whether it was there */
  remove(number: number): boolean {
    if (this.get(number) === undefined) return false;
    this.#length -= 1;
    if (this.#stragglers.delete(number)) return true;
    this.#items[number - this.#firstNumber] = undefined;
    while (this.#head < this.#items.length && this.#items[this.#head] === undefined) this.#head += 1;
    const { length } = this.#items;
    if (length < fewItems) return true;
    if (this.#head * 2 >= length) this.#forget(this.#head);
    else if ((this.#length - this.#stragglers.size) * 4 < length) this.#setAside();
    return true;
  }

  /** Empties it. @returns what was in it, in order */
  takeAll(): T[] {
    const items = [...this.#stragglers.values(), ...this.#items.filter((item) => item !== undefined)];
    this.#stragglers.clear();
    this.#forget(this.#items.length);
    this.#length = 0;
    return items;
  }

  get #firstStraggler(): number | undefined {
    return this.#stragglers.size === 0 ? undefined : this.#stragglers.keys().next().value;
  }

  #setAside(): void {
    for (const [index, item] of this.#items.entries()) {
      if (item !== undefined) this.#stragglers.set(this.#firstNumber + index, item);
    }
    this.#forget(this.#items.length);
  }

  #forget(count: number): void {
    this.#items.splice(0, count);
    this.#firstNumber += count;
    this.#head = 0;
  }
}

/** So few are not worth the work of forgetting them. */
const fewItems = 64;

/** A longer message, in characters of its text, counts as several. */
export const messageSize = 4096;

/** A queue of what a peer has sent and nobody has taken yet: bounded in number and in size. */
export class Backlog<T> {
  readonly #limit: number;
  readonly #queue = new Queue<{ readonly item: T; readonly weight: number }>();
  #weight = 0;

  /** @param limit how many messages of ordinary size */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /**
   * @param length of the message's text
   * @returns whether there was room; where nothing else waits, there is for a message of any size
   */
  push(item: T, length = 0): boolean {
    const weight = Math.max(1, Math.min(Math.ceil(length / messageSize), this.#limit));
    if (this.#weight + weight > this.#limit) return false;
    this.#weight += weight;
    this.#queue.push({ item, weight });
    return true;
  }

  shift(): T | undefined {
    const { item, weight = 0 } = this.#queue.shift() ?? {};
    this.#weight -= weight;
    return item;
  }

  takeAll(): T[] {
    this.#weight = 0;
    return this.#queue.takeAll().map(({ item }) => item);
  }
}
