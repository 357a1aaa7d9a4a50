// What the servers of a cluster share: logs that have one order for all of them, and words that are kept nowhere.

/** A log's subject and those of plain words: letters, digits and `_` between dots. */
export type Subject = string;

/** Takes a log's entries, in their order, each at least once. */
export interface LogSink {
  entry(place: number, body: Uint8Array): void;
  /** The log was lost and begins anew: places start again. */
  reset(): void;
}

/** Something that runs until it is closed; idempotent. */
export interface Running {
  close(): void;
}

/**
 * The contract:
 * 1. `append` refuses where it sees that the last place is another than `last`; two at once may both get in. All
 *    servers read a log's entries in one order.
 * 2. `append` that throws may or may not have appended; only the log itself tells.
 * 3. `follow` begins with the oldest entry that is kept, and goes on over lost connections.
 * 4. `say` and `hear` lose what is said while there is no connection.
 */
export interface Backplane {
  /** Appends where `last` is the last place (0 = the log is empty); undefined where it is not. Throws ClusterLost. */
  append(subject: Subject, body: Uint8Array, last: number): Promise<number | undefined>;
  /** The last place of a log; 0 where it is empty. Throws ClusterLost. */
  last(subject: Subject): Promise<number>;
  follow(subject: Subject, sink: LogSink): Running;
  /** Drops what a log has up to place `upTo`. Throws ClusterLost. */
  trim(subject: Subject, upTo: number): Promise<void>;
  say(subject: Subject, body: Uint8Array): void;
  hear(subject: Subject, onBody: (body: Uint8Array) => void): Running;
  close(): Promise<void>;
}

/** The other servers cannot be reached; what was asked for may or may not have happened. */
export class ClusterLost extends Error {
  override readonly name = "ClusterLost";
}
