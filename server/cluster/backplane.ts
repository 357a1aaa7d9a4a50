// What the servers of a cluster share: logs with one order for all, and messages that nobody stores.

/** Name of a log or of a message channel: letters, digits and `_` between dots. */
export type Subject = string;

/** Receives a log's entries, in order, each at least once. */
export interface LogSink {
  entry(position: number, body: Uint8Array): void;
  /** The log was lost, or its entries were removed by hand, and restarts: it is read from its start again. */
  reset(): void;
}

/** Something that runs until it is closed; closing is idempotent. */
export interface Running {
  close(): void;
}

/** Reads a log until it is closed. */
export interface Following extends Running {
  /** Its entries were removed by hand: the sink is reset, and gets what there is now from the start. */
  restart(): void;
}

/** How the backplane does. */
export interface BackplaneStatus {
  /** Whether the other servers can be reached, as far as this one knows. */
  readonly isUp: boolean;
  /** Why not; empty while they can. */
  readonly reason: string;
  /** Connections since the first one. */
  readonly reconnects: number;
  /** Operations that were refused, by kind. */
  readonly refused: Readonly<Record<string, number>>;
}

/** Limits that follow from the backplane's space, and from how much of it is used now. */
export interface BackplaneLimits {
  /** Most bytes of one entry or message. */
  readonly entryBytes: number;
  /** Bytes that one log may keep; its servers trim what is above. */
  readonly logBytes: number;
}

/**
 * The contract:
 * 1. `append` refuses if it sees that the last position is not `last`; two at once may both succeed. All servers read
 *    a log's entries in one order.
 * 2. `append` that throws ClusterLost may or may not have appended; only the log itself tells. One that throws
 *    EntryRefused has not.
 * 3. `follow` starts with the oldest stored entry, and continues over lost connections. A log that has no entries any
 *    more, although some were read, is reset.
 * 4. `publish` and `subscribe` lose messages while there is no connection.
 */
export interface Backplane {
  readonly status: BackplaneStatus;
  readonly limits: BackplaneLimits;
  /**
   * Appends if `last` is the last position (0 = the log is empty); undefined if it is not. Throws ClusterLost, or
   * EntryRefused where another attempt would fail as well.
   */
  append(subject: Subject, body: Uint8Array, last: number): Promise<number | undefined>;
  /** The last position of a log; 0 if it is empty. Throws ClusterLost. */
  last(subject: Subject): Promise<number>;
  /** The position of the oldest entry that is stored; 0 if there is none. Throws ClusterLost. */
  first(subject: Subject): Promise<number>;
  follow(subject: Subject, sink: LogSink): Following;
  /** Drops a log's entries up to position `upTo`. Throws ClusterLost. */
  trim(subject: Subject, upTo: number): Promise<void>;
  publish(subject: Subject, body: Uint8Array): void;
  subscribe(subject: Subject, onBody: (body: Uint8Array) => void): Running;
  /** To be called for as long as a server is not heard that should be: this one's connection may be at fault. */
  renew(): void;
  close(): Promise<void>;
}

/** The backplane cannot be reached; the operation may or may not have happened. */
export class ClusterLost extends Error {
  override readonly name = "ClusterLost";
}

/** Why an entry is refused: it is too large, the backplane is full, or this server lacks the right to write. */
export type EntryRefusal = "too_large" | "full" | "forbidden";

/** The backplane refuses an entry, and would refuse it again. */
export class EntryRefused extends Error {
  override readonly name = "EntryRefused";
  readonly refusal: EntryRefusal;

  constructor(refusal: EntryRefusal, options?: ErrorOptions) {
    super(`The entry is refused: ${refusal}`, options);
    this.refusal = refusal;
  }
}
