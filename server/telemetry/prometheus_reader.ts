// Reads a page of metrics back into numbers, for `top`.

/** Samples by their names with labels, such as `cmdchat_members{connection="v2"}`. */
export type Samples = ReadonlyMap<string, number>;

/** Parses a page in Prometheus' text format as server/telemetry/prometheus_page.ts writes it. */
export function readSamples(page: string): Samples {
  const samples = new Map<string, number>();
  for (const line of page.split("\n")) {
    const match = /^([a-z_]+(?:\{[^}]*\})?) (\S+)$/.exec(line);
    if (match !== null) samples.set(match[1] as string, Number(match[2]));
  }
  return samples;
}

/** Samples of one family by the value of their only label. */
export function byLabel(samples: Samples, family: string): [string, number][] {
  return [...samples].flatMap(([name, value]) => {
    const label = name.startsWith(`${family}{`) ? /="([^"]*)"/.exec(name)?.[1] : undefined;
    return label === undefined ? [] : [[label, value] as [string, number]];
  });
}

/**
 * The bound in seconds below which a `share` of a histogram's times between two readings lies; undefined where there
 * were none, Infinity where it is above the last bound.
 */
export function quantile(
  now: Samples,
  before: Samples | undefined,
  { family, share }: { readonly family: string; readonly share: number },
): number | undefined {
  const buckets = byLabel(now, `${family}_bucket`).map(([bound, count]) =>
    [
      bound === "+Inf" ? Infinity : Number(bound),
      count - (before?.get(`${family}_bucket{le="${bound}"}`) ?? 0),
    ] as const
  );
  const total = buckets.at(-1)?.[1] ?? 0;
  if (total === 0) return undefined;
  return buckets.find(([, count]) => count >= total * share)?.[0];
}
