/** What the compile-only tests state their expectations with. Nothing here exists at run time. */

/** Compiles when the value has the type. */
export declare function accept<T>(value: T): T;

/** Whether two types are the same, and not only assignable to each other. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- that T says nothing is the point
export type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

export type IsAny<T> = 0 extends 1 & T ? true : false;

/** Compiles when what it is given is true, so that the compiler's error shows what it is instead. */
export type Expect<T extends true> = T;
