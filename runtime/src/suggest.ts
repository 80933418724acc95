/**
 * Returns `; did you mean 'x'?`, or an empty string if no candidate is similar. A similar candidate differs in at most
 * a third of the letters, or in only one.
 */
export function didYouMean(name: string, candidates: Iterable<string>): string {
  let nearest: string | undefined;
  let bound = Math.max(1, Math.floor(name.length / 3)) + 1;
  for (const candidate of candidates) {
    // Skip before comparing, so that a long name costs nothing.
    if (Math.abs(candidate.length - name.length) >= bound) continue;
    // Of two equally similar candidates, prefer one of the same length: `qcow2` for `qcow3`, not `qcow`.
    const edits =
      editsBetween(name.toLowerCase(), candidate.toLowerCase()) + (candidate.length === name.length ? 0 : 0.5);
    if (edits >= bound || edits >= candidate.length) continue;
    bound = edits;
    nearest = candidate;
  }
  return nearest === undefined ? '' : `; did you mean '${nearest}'?`;
}

/** Returns the Levenshtein distance. */
function editsBetween(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    let left = i;
    row = row.map((above, j) => {
      if (j > 0) left = Math.min(above + 1, left + 1, (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1));
      return left;
    });
  }
  return row[b.length] ?? 0;
}
