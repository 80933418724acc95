/** Suggestions for misspelled names. */

/** Returns ` (did you mean 'x'?)`, or an empty string if no candidate is similar. */
export function didYouMean(name: string, candidates: Iterable<string>): string {
  // A similar candidate differs in at most a third of the letters, or in only one.
  let best = Math.max(1, Math.floor(name.length / 3)) + 1;
  let nearest: string | undefined;
  for (const candidate of candidates) {
    if (candidate === name || Math.abs(candidate.length - name.length) >= best) continue;
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance < best && distance < Math.max(name.length, candidate.length)) {
      best = distance;
      nearest = candidate;
    }
  }
  return nearest === undefined ? '' : ` (did you mean '${nearest}'?)`;
}

/** Returns the Levenshtein distance, with a transposition counting as one edit. */
function editDistance(a: string, b: string): number {
  let older: number[] = [];
  let old: number[] = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1];
      let distance = Math.min(cell(old, j) + 1, cell(row, j - 1) + 1, cell(old, j - 1) + (same ? 0 : 1));
      if (a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) distance = Math.min(distance, cell(older, j - 2) + 1);
      row.push(distance);
    }
    older = old;
    old = row;
  }
  return cell(old, b.length);
}

function cell(row: readonly number[], index: number): number {
  return row[index] ?? Infinity;
}
