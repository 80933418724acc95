/** Converts `block_resize` and `BLOCK_RESIZE` to `BlockResize`. */
export function pascalCase(name: string): string {
  const parts = name.split(/[^A-Za-z0-9]+/u).filter((word) => word !== '');
  const joined = parts
    .map(
      (word) =>
        word.charAt(0).toUpperCase() + (word === word.toUpperCase() ? word.slice(1).toLowerCase() : word.slice(1)),
    )
    .join('');
  // Names with a vendor prefix may begin with a digit: `__3com_command`.
  return /^\d/u.test(joined) ? `_${joined}` : joined;
}
