/**
 * A first-in, first-out queue. Each item has a number, by which it can be read and removed. All operations take
 * amortized constant time, unlike `shift` of an array. A Map takes twice as long, because tables that it has outgrown
 * keep their entries alive.
 */
export class Queue<T> {
  /** Removed items are `undefined`. */
  readonly #items: (T | undefined)[] = [];
  /** The number of the first item in `#items`. */
  #firstNumber = 1;
  /** The index of the first item that was not removed. */
  #head = 0;
  /**
   * Items moved out of the array, by number: otherwise, a few that are never removed would keep it growing. Undefined
   * until there are any, because most queues never have them and a Map takes more memory than the rest of a queue.
   */
  #oldItems: Map<number, T> | undefined;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  get first(): T | undefined {
    const number = this.#firstOld;
    return number === undefined ? this.#items[this.#head] : this.get(number);
  }

  /** Returns the item's number. Numbers are consecutive. */
  push(item: T): number {
    this.#length += 1;
    return this.#firstNumber + this.#items.push(item) - 1;
  }

  get(number: number): T | undefined {
    return number < this.#firstNumber ? this.#oldItems?.get(number) : this.#items[number - this.#firstNumber];
  }

  shift(): T | undefined {
    if (this.#length === 0) return undefined;
    const number = this.#firstOld ?? this.#firstNumber + this.#head;
    const item = this.get(number);
    this.remove(number);
    return item;
  }

  /** Returns whether the item was in the queue. */
  remove(number: number): boolean {
    if (this.get(number) === undefined) return false;
    this.#length -= 1;
    if (number < this.#firstNumber) return this.#oldItems?.delete(number) === true;
    this.#items[number - this.#firstNumber] = undefined;
    while (this.#head < this.#items.length && this.#items[this.#head] === undefined) this.#head += 1;
    const { length } = this.#items;
    if (length < fewItems) return true;
    if (this.#head * 2 >= length) this.#dropFirst(this.#head);
    else if ((this.#length - (this.#oldItems?.size ?? 0)) * 4 < length) this.#moveOld();
    return true;
  }

  /** Removes and returns all items, in order. */
  takeAll(): T[] {
    const items = [...(this.#oldItems?.values() ?? []), ...this.#items.filter((item) => item !== undefined)];
    this.#oldItems = undefined;
    this.#dropFirst(this.#items.length);
    this.#length = 0;
    return items;
  }

  get #firstOld(): number | undefined {
    return this.#oldItems?.keys().next().value;
  }

  #moveOld(): void {
    this.#oldItems ??= new Map();
    for (const [index, item] of this.#items.entries()) {
      if (item !== undefined) this.#oldItems.set(this.#firstNumber + index, item);
    }
    this.#dropFirst(this.#items.length);
  }

  #dropFirst(count: number): void {
    this.#items.splice(0, count);
    this.#firstNumber += count;
    this.#head = 0;
  }
}

/** Shorter arrays are not worth compacting. */
const fewItems = 64;

/** The number of characters of an ordinary message. A longer message counts as several. */
export const messageSize = 4096;

/** A queue of messages received but not yet consumed, bounded in number and in size. */
export class Backlog<T> {
  readonly #limit: number;
  readonly #queue = new Queue<{ readonly item: T; readonly weight: number }>();
  #weight = 0;

  /** @param limit the number of messages of ordinary size */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /**
   * @param length the length of the message's text
   * @returns whether there was room. An empty queue has room for a message of any size
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
