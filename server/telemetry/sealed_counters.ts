// What the server counts of sealed rooms: kinds, never names, since it has none.

/** Counters since the start. */
export interface SealedCounters {
  sealedGroups: number;
  sealedCommits: number;
  sealedMessages: number;
  sealedChunks: number;
  sealedConflicts: number;
  sealedVoids: number;
  sealedEvictions: number;
}

/** All at zero. */
export function noSealedCounters(): SealedCounters {
  return {
    ...{ sealedGroups: 0, sealedCommits: 0, sealedMessages: 0, sealedChunks: 0 },
    ...{ sealedConflicts: 0, sealedVoids: 0, sealedEvictions: 0 },
  };
}
