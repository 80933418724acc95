/** Paths into the arguments, result or data of a command or event. */

export type Step =
  | { readonly kind: 'member'; readonly name: string }
  | { readonly kind: 'branch'; readonly choices: readonly Choice[] }
  | { readonly kind: 'value'; readonly name: string }
  | { readonly kind: 'elements' };

/** The value of a discriminator. Nested unions have several. */
export interface Choice {
  readonly discriminator: string;
  readonly value: string;
}

/** Paths may be longer than the stack is deep, and have common parts. Joining them copies nothing. */
export class Path {
  static readonly whole = new Path('', 0, []);
  static readonly elements = Path.#of({ kind: 'elements' });

  static member(name: string): Path {
    return Path.#of({ kind: 'member', name });
  }

  static branch(choices: readonly Choice[]): Path {
    return Path.#of({ kind: 'branch', choices });
  }

  static value(name: string): Path {
    return Path.#of({ kind: 'value', name });
  }

  static from(steps: readonly Step[]): Path {
    return steps.map((step) => Path.#of(step)).reduce((whole, path) => whole.concat(path), Path.whole);
  }

  static #of(step: Step): Path {
    return new Path(textOf(step), step.kind === 'member' ? 1 : 0, [step]);
  }

  readonly #parts: readonly (Path | Step)[];

  private constructor(
    /** The path as shown to people, such as `.file(driver=nbd).server` or `[].inserted`; empty for the whole. */
    readonly text: string,
    /** The number of members. */
    readonly length: number,
    parts: readonly (Path | Step)[],
  ) {
    this.#parts = parts;
  }

  get steps(): readonly Step[] {
    const found: Step[] = [];
    const left = this.#parts.toReversed();
    for (let part = left.pop(); part; part = left.pop()) {
      if (part instanceof Path) left.push(...part.#parts.toReversed());
      else found.push(part);
    }
    return found;
  }

  concat(path: Path): Path {
    return new Path(this.text + path.text, this.length + path.length, [this, path]);
  }
}

function textOf(step: Step): string {
  switch (step.kind) {
    case 'member':
      return `.${step.name}`;
    case 'branch':
      return `(${step.choices.map(({ discriminator, value }) => `${discriminator}=${value}`).join(',')})`;
    case 'value':
      return `(${step.name})`;
    case 'elements':
      return '[]';
  }
}
