/**
 * Suggestions in the compiler's own messages. On its own, the compiler chooses a suggestion among many names only for
 * literals that are assigned, or are elements of an array.
 */

/**
 * A type that the compiler prints for a misspelled name. It contains the names that may have been meant.
 *
 * The name is a parameter of type `N | Among<M, K>`, where `N extends K | DidYouMean<M, K>`, and both `N` and `M` are
 * inferred from the argument. A known name is inferred as `N`. A name that fits neither `N` nor `M` is an error, whose
 * message shows the constraint of `N`.
 */
export type DidYouMean<M extends string, K extends string> = `did you mean '${Near<M, K>}'?`;

/** Makes the compiler infer `M`, and accepts only names of `K`. */
export type Among<M, K> = M extends K ? M : never;

/** The names that are one edit away from a misspelled one, ignoring case. */
type Near<M extends string, K extends string> = M extends K
  ? never
  : string extends M
    ? never
    : K extends string
      ? IsNear<Rests<Lowercase<M>, Lowercase<K>>> extends true
        ? K
        : never
      : never;

/** Removes the common prefix of two strings. */
type Rests<A extends string, B extends string> = A extends `${infer First}${infer RestOfA}`
  ? B extends `${First}${infer RestOfB}`
    ? Rests<RestOfA, RestOfB>
    : [A, B]
  : [A, B];

/** Whether the remainders differ by one character that was added, removed or replaced, or by two that were swapped. */
type IsNear<E extends [string, string]> = E[0] extends Tail<E[1]> | Swapped<E[1]>
  ? true
  : E[0] extends `${string}${infer Rest}`
    ? Rest extends E[1] | Tail<E[1]>
      ? true
      : false
    : false;

type Tail<A extends string> = A extends `${string}${infer Rest}` ? Rest : never;
type Swapped<A extends string> = A extends `${infer First}${infer Second}${infer Rest}`
  ? `${Second}${First}${Rest}`
  : never;
