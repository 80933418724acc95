/**
 * First in, first out, each item with a number, by which it can be had and taken out: all in constant time on average, which the
 * `shift` of an array is not. (A Map would do, but tables that it has outgrown keep alive what was in them: it took twice the time.)
 */
export class Queue<T> {
  /** Those that were taken out are `undefined`. */
  readonly #items: (T | undefined)[] = [];
  /** The number of the first one of `#items`. */
  #firstNumber = 1;
  /** Where the first one is that was not taken out. */
  #head = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  get first(): T | undefined {
    return this.#items[this.#head];
  }

  /** @returns its number, one more than that of the one before */
  push(item: T): number {
    this.#length += 1;
    return this.#firstNumber + this.#items.push(item) - 1;
  }

  get(number: number): T | undefined {
    return this.#items[number - this.#firstNumber];
  }

  shift(): T | undefined {
    const item = this.first;
    this.remove(this.#firstNumber + this.#head);
    return item;
  }

  /** @returns whether it was there */
  remove(number: number): boolean {
    if (this.get(number) === undefined) return false;
    this.#items[number - this.#firstNumber] = undefined;
    this.#length -= 1;
    while (this.#head < this.#items.length && this.first === undefined) this.#head += 1;
    if (this.#head >= fewItems && this.#head * 2 >= this.#items.length) this.#forget(this.#head);
    return true;
  }

  /** Empties it. @returns what was in it, in order */
  takeAll(): T[] {
    const items = this.#items.filter((item) => item !== undefined);
    this.#forget(this.#items.length);
    this.#length = 0;
    return items;
  }

  #forget(count: number): void {
    this.#items.splice(0, count);
    this.#firstNumber += count;
    this.#head = 0;
  }
}

/** So few are not worth the work of forgetting them. */
const fewItems = 64;
