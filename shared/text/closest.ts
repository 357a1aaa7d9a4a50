// The word that a person most likely meant.

/** The word of `words` that `typed` most likely meant; undefined where none is near. */
export function closest(typed: string, words: readonly string[]): string | undefined {
  const near = Math.max(1, Math.floor(typed.length / 3));
  // No change of the others makes up for letters that are missing; and a pasted page is compared with nothing.
  const ranked = words.filter(({ length }) => Math.abs(length - typed.length) <= near)
    .map((word) => ({ word, distance: editDistance(typed, word) }))
    .sort((a, b) => a.distance - b.distance)[0];
  return ranked !== undefined && ranked.distance <= near ? ranked.word : undefined;
}

/** Optimal string alignment: insert, delete, replace and swap of neighbours cost 1 each. */
function editDistance(a: string, b: string): number {
  const rows: number[][] = Array.from({ length: a.length + 1 }, (_, i) => [i]);
  const at = (i: number, j: number) => rows[i]?.[j] ?? Infinity;
  for (let j = 1; j <= b.length; j++) (rows[0] as number[])[j] = j;
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      const replace = at(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let best = Math.min(at(i - 1, j) + 1, at(i, j - 1) + 1, replace);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        best = Math.min(best, at(i - 2, j - 2) + 1);
      }
      (rows[i] as number[])[j] = best;
    }
  }
  return at(a.length, b.length);
}
