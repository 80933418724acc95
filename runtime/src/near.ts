/** "Did you mean ...?" in the compiler's own messages, which name the nearest of many only where a literal is assigned or is in an array. */

/**
 * What a message adds to the type of a parameter: the known names that a mistyped one may stand for, or nothing.
 *
 * A name goes by the parameter `name: N | Among<M, K>`, with `N extends K | DidYouMean<M, K>`. Both `N` and `M` are inferred from it. A
 * known name is `N`. Any other fits neither; the compiler then takes the constraint of `N` for the type of the parameter, and prints it.
 */
export type DidYouMean<M extends string, K extends string> = `did you mean '${Near<M, K>}'?`;

/** Lets the compiler infer `M`, and takes no more than `K` does. */
export type Among<M, K> = M extends K ? M : never;

/** The names that one edit makes of a mistyped one; case does not count. */
type Near<M extends string, K extends string> = M extends K
  ? never
  : string extends M
    ? never
    : K extends string
      ? IsNear<Ends<Lowercase<M>, Lowercase<K>>> extends true
        ? K
        : never
      : never;

/** Two texts without their common beginning. */
type Ends<A extends string, B extends string> = A extends `${infer First}${infer RestOfA}`
  ? B extends `${First}${infer RestOfB}`
    ? Ends<RestOfA, RestOfB>
    : [A, B]
  : [A, B];

/** Whether the ends differ by a character that is too many, missing, or another, or by two that are swapped. */
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
