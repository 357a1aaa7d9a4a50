// Sizes, counts and time-outs that only the client uses, each with its reason.

const KIB = 1024;
const MIB = 1024 * KIB;

/** Bytes of unaccepted or unfinished files that a client holds in memory, from all senders together. */
export const FILE_HELD_MAX_BYTES = 64 * MIB;

/** The same of one file alone, where the server takes larger ones: v1 senders and pages have no other place for it. */
export const FILE_HELD_ONE_MAX_BYTES = 100 * MIB;

/** Files from all senders together that wait for an answer or for their end; each costs more than its bytes. */
export const FILE_OFFERS_MAX = 64;

/** An offered file that nobody accepts is forgotten after this, and its memory freed. */
export const FILE_OFFER_MS = 600_000;

/** Silence in the middle of a file after which its sender counts as gone: v1 has no word for giving up. */
export const FILE_STALLED_MS = 60_000;

/** How long a server may take to give our offer back to us, which says that it took it. */
export const FILE_CONFIRM_MS = 15_000;

/** Once somebody has a file, those who have not answered its offer are waited for so long; a script has no time. */
export const FILE_ANSWER_MS = { person: 60_000, script: 3_000 } as const;

/** A receiver that hears nothing of a file for this long asks for what comes next. */
export const FILE_PULL_AGAIN_MS = 5_000;

/** How long a sender keeps a file open that nobody asks parts of: a connection that is lost unnoticed, and its hold. */
export const FILE_SERVED_MS = 300_000;

/** Least pause, and half of the longest, after a server said that it will be back. */
export const RECONNECT_SOON_MS = 100;

/** So often a client tries after such a pause, for some 4 s in all; then the server counts as lost. */
export const RECONNECT_SOON_TRIES = 30;

/** First pause before a client reconnects; doubled up to RECONNECT_MAX_MS, with jitter. */
export const RECONNECT_MIN_MS = 1_000;

/** Longest pause before a client reconnects. */
export const RECONNECT_MAX_MS = 30_000;

/** A client gives a connection attempt, with its handshake, this long. */
export const CONNECT_TIMEOUT_MS = 15_000;
/** So long a server that took the connection may say nothing before the user hears what may be wrong. */
export const SILENT_TOLD_MS = 3_000;

/** Of these, one of several addresses has so long: a server that hangs accepts connections all the same. */
export const ADDRESS_TIMEOUT_MS = 4_000;

/** A server that has other addresses and owes an answer for so long is left for another one; up to half more by chance. */
export const ANSWER_ELSEWHERE_MS = 10_000;

/** The same through a proxy: Tor may build a circuit first. */
export const PROXY_TIMEOUT_MS = 60_000;

/** Default, least and most of `--buffer-size`: messages a client keeps for scrolling back in memory. */
export const BUFFER_SIZE = { default: 200, min: 10, max: 1_000 } as const;

/** Messages of a room that a client remembers for quoting and changing. */
export const SAID_REMEMBERED = 200;

/** Reactions that a client counts: emoji of one message, emoji of one member under it, and all of a room. */
export const REACTIONS_MAX = { kinds: 16, member: 4, room: 5_000 } as const;

/** Lines of each room that is not the current one which a client holds back where it only counts them. */
export const DEFERRED_LINES_MAX = 200;

/** A clock that jumps this far between two looks a second apart: the machine was asleep. */
export const WAKE_JUMP_MS = 5_000;

/** After a wake, a server that gives no sign of life within this is gone: the client reconnects. */
export const WAKE_ANSWER_MS = 3_000;

/** A server that should have answered and said nothing for this long is shown as silent. */
export const SILENCE_SHOWN_MS = 5_000;

/** Messages that a client keeps while it has no connection; more are refused, and stay in the input line. */
export const UNSENT_MAX = 100;

/** A client that leaves reads on for so long until the server, which has its last word, ends the connection. */
export const FAREWELL_MS = 3_000;

/** Where nothing at all comes from the server meanwhile, it is given up after this: nobody waits for a dead network. */
export const FAREWELL_SILENCE_MS = 1_000;

/** People whose device keys a user's file remembers: some hundred bytes each, and all are looked up at every entry. */
export const KNOWN_PEOPLE_MAX = 1_000;

/** How long a client that is asked for its device key has to show it; a connection over Tor takes some seconds. */
export const PROOF_PATIENCE_MS = 6_000;

/** So often members are asked: somewhat less than the server passes on. */
export const PROOF_ASKED = { messages: 30, seconds: 5 } as const;

/** So many of those who ask are answered; a signature takes 0.1 ms. */
export const PROOF_ANSWERS = { messages: 200, seconds: 5 } as const;

/** Reading goes on after so long only when keys, timers and the screen have had a turn: less than is noticed. */
export const READ_TURN_MS = 16;

/** Bytes that wait to be written, above which nothing more is read: a server that asks and does not read waits. */
export const UNWRITTEN_MAX_BYTES = 4 * MIB;

/**
 * Bytes of what a relay said of a sealed room that wait for its worker, above which nothing more is read: more than all
 * that an honest relay sends to who comes back.
 */
export const SEALED_WAITING_MAX_BYTES = 8 * MIB;
