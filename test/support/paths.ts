import { Path } from '../../generator/src/diff/path.js';

/** A member, the elements of an array (`[]`), or the values of discriminators that select a branch. */
export type PathPart = string | Readonly<Record<string, string>>;

export function pathOf(...parts: readonly PathPart[]): Path {
  const paths = parts.map((part) => {
    if (part === '[]') return Path.elements;
    if (typeof part === 'string') return Path.member(part);
    return Path.branch(Object.entries(part).map(([discriminator, value]) => ({ discriminator, value })));
  });
  return paths.reduce((whole, path) => whole.concat(path), Path.whole);
}
