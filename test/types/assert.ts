/** Assertions for compile-only tests. Nothing here exists at run time. */

/** Compiles if the value has the type. */
export declare function accept<T>(value: T): T;

/** Whether two types are identical, not only assignable to each other. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the unused T is the point
export type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

export type IsAny<T> = 0 extends 1 & T ? true : false;

/** Compiles if the type is `true`. Otherwise, the compiler's error shows what it is instead. */
export type Expect<T extends true> = T;
