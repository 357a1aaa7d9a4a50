// What the server counts. Each counter is one row here; the type, the log line and the Prometheus page derive from the
// rows. A counter has no name of a person, a room or a file.

/** One counter and where it appears on the Prometheus page. */
export interface CounterRow {
  /** The metric's name. */
  readonly family: string;
  /** The value of the metric's label `kind`, where several counters share a metric. */
  readonly kind?: string;
  /** The metric's help text. Counters that share a metric have the same. */
  readonly help: string;
}

const SEALED = {
  family: "cmdchat_sealed_total",
  help: "What passed through sealed rooms, by kind.",
};

/** Every counter. */
export const COUNTER_ROWS = {
  connectionsAccepted: {
    family: "cmdchat_connections_accepted_total",
    help: "Connections accepted.",
  },
  connectionsRefused: {
    family: "cmdchat_connections_refused_total",
    help: "Connections closed at once because a cap was reached or their address is banned.",
  },
  adminGuesses: {
    family: "cmdchat_admin_guesses_total",
    help: "Wrong tokens and proofs at the admin pages.",
  },
  handshakesFailed: {
    family: "cmdchat_handshakes_failed_total",
    help: "Handshakes that let nobody in.",
  },
  protocolErrors: {
    family: "cmdchat_protocol_errors_total",
    help: "Clients disconnected because they broke the protocol.",
  },
  messagesIn: {
    family: "cmdchat_messages_received_total",
    help: "Messages from clients.",
  },
  messagesOut: {
    family: "cmdchat_messages_sent_total",
    help: "Messages queued for clients.",
  },
  bytesIn: {
    family: "cmdchat_received_bytes_total",
    help: "Bytes from clients, below TLS.",
  },
  bytesOut: {
    family: "cmdchat_sent_bytes_total",
    help: "Bytes to clients, below TLS.",
  },
  invitesMade: {
    family: "cmdchat_invites_made_total",
    help: "Invites that members had made.",
  },
  invitesUsed: {
    family: "cmdchat_invites_used_total",
    help: "Sessions that an invite let in.",
  },
  rateLimited: {
    family: "cmdchat_rate_limited_total",
    help: "Messages dropped by the rate limit.",
  },
  notesDropped: {
    family: "cmdchat_notes_dropped_total",
    help: "Notes of v1 clients that the server replaced.",
  },
  sessionsResumed: {
    family: "cmdchat_sessions_resumed_total",
    help: "Sessions taken up again over a new connection.",
  },
  slowClosed: {
    family: "cmdchat_slow_closed_total",
    help: "Clients disconnected because they did not read.",
  },
  silentClosed: {
    family: "cmdchat_silent_closed_total",
    help: "Clients disconnected because they did not answer.",
  },
  sealedGroups: { ...SEALED, kind: "group" },
  sealedCommits: { ...SEALED, kind: "commit" },
  sealedMessages: { ...SEALED, kind: "message" },
  sealedChunks: { ...SEALED, kind: "chunk" },
  sealedConflicts: { ...SEALED, kind: "conflict" },
  sealedVoids: { ...SEALED, kind: "void" },
  sealedEvictions: { ...SEALED, kind: "eviction" },
} as const satisfies Record<string, CounterRow>;

/** The name of a counter. */
export type CounterName = keyof typeof COUNTER_ROWS;

/** Counters since the start of the process. */
export type Counters = Record<CounterName, number>;

/** The counters of sealed rooms. */
export type SealedCounters = Pick<Counters, Extract<CounterName, `sealed${string}`>>;

/** All counters at zero. */
export function newCounters(): Counters {
  return Object.fromEntries(Object.keys(COUNTER_ROWS).map((name) => [name, 0])) as Counters;
}
