// Helpers for the runtime's benchmarks.
// @ts-check

/** @param {number[]} values */
export function median(values) {
  return values.toSorted((x, y) => x - y)[Math.floor(values.length / 2)] ?? 0;
}

/** Prints a table with right-aligned numbers. @param {string} title @param {string[]} head @param {string[][]} rows */
export function table(title, head, rows) {
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0)));
  /** @param {string[]} row */
  const line = (row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ');
  console.log(`\n${title}\n`);
  for (const row of [head, ...rows]) console.log(`  ${line(row).trimEnd()}`);
}

/** Returns the size of the heap after a collection. Requires `--expose-gc`. */
export function liveHeap() {
  for (let index = 0; index < 3; index += 1) globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
