/** First in, first out, in constant time however long it is: the `shift` of an array is not. */
export class Queue<T> {
  #items: (T | undefined)[] = [];
  /** Where the first one is. */
  #head = 0;
  /** Those that were taken out of the middle, and are still among the items. */
  readonly #removed = new Set<T>();

  get length(): number {
    return this.#items.length - this.#head - this.#removed.size;
  }

  push(item: T): void {
    this.#items.push(item);
  }

  shift(): T | undefined {
    while (this.#head < this.#items.length) {
      const item = this.#items[this.#head] as T;
      // It should not be kept alive.
      this.#items[this.#head] = undefined;
      this.#head += 1;
      const isRemoved = this.#removed.delete(item);
      if (this.#head * 2 > this.#items.length) this.#compact();
      if (!isRemoved) return item;
    }
    return undefined;
  }

  /** Takes one out that is in it. */
  remove(item: T): void {
    this.#removed.add(item);
    if (this.#removed.size * 2 > this.#items.length - this.#head) this.#compact();
  }

  /** Empties it. @returns what was in it, in order */
  takeAll(): T[] {
    this.#compact();
    const items = this.#items as T[];
    this.#items = [];
    return items;
  }

  #compact(): void {
    const items = this.#items.slice(this.#head);
    this.#items = this.#removed.size === 0 ? items : items.filter((item) => !this.#removed.has(item as T));
    this.#head = 0;
    this.#removed.clear();
  }
}
