// Sizes, counts and time-outs that only the server uses, each with its reason.
// What an operator would change is an option whose default is here.

const KIB = 1024;
const MIB = 1024 * KIB;

/** Requests of any kind that a client may send at once: what it kept over an outage, several times over. */
export const PACE_BURST = 200;

/** Bytes that count as one more request: reading, opening and decoding so many takes about as long as a small one. */
export const PACE_BYTES = 8 * KIB;

/** Requests a second beyond that burst; more wait unread. 64 clients at this pace cost a tenth of a core. */
export const PACE_PER_SECOND = 50;

/** Longest that a client which sends more is left unread; its leave must still be noticed soon. */
export const PACE_PAUSE_MAX_MS = 1_000;

/** A client that sends more for this long is disconnected: its unread requests would keep it in its room for minutes. */
export const PACE_PATIENCE_MS = 10_000;

/** Default for `--max-per-address`: a household or an office behind one address fits. */
export const CONNECTIONS_PER_ADDRESS_MAX = 64;

/**
 * Default for `--connection-rate`: new connections from one address. After an outage all of `--max-per-address` come at
 * once, some twice; in the long run, 13 handshakes a second take about one hundredth of a core.
 */
export const CONNECTION_RATE = { messages: 128, seconds: 10 } as const;

/**
 * Wrong tokens from one address, after which its new clients are told to come later: a person mistypes a few times, and
 * a guesser gets 10 a minute. Sessions that are resumed are not affected.
 */
export const WRONG_TOKEN_RATE = { messages: 10, seconds: 60 } as const;

/**
 * Comings of one address into one room: each shows a name. After an outage all of `--max-per-address` come at once, some
 * twice; in the long run, somebody who comes and goes is seen every five seconds.
 */
export const JOIN_RATE = { messages: 128, seconds: 640 } as const;

/** Handshakes that are computed at a time; the others wait, and members are served between any two. */
export const HANDSHAKES_AT_ONCE = 4;

/** TLS handshakes that are computed at a time: more would only hold up members for longer at once. */
export const TLS_HANDSHAKES_AT_ONCE = 1;

/** Default for `--max-rooms`; an empty room is forgotten at once. */
export const ROOMS_MAX = 10_000;

/** Chats of a room of which the server knows who said them, so that only they may change them. */
export const AUTHORS_REMEMBERED = 1_000;

/** Bytes of direct messages that wait for a session whose connection was lost; counted as unsent. */
export const MAILBOX_MAX_BYTES = 64 * KIB;

/** The TLS handshake and the first message must both be complete within this. */
export const HANDSHAKE_DEADLINE_MS = 10_000;

/** The page must be out within this, after a request within the deadline of the handshake: 6 KB/s suffice. */
export const PAGE_DEADLINE_MS = 30_000;

/** Bytes of talk that wait for one client before it is disconnected: it does not read fast enough. */
export const OUTBOX_MAX_BYTES = 16 * MIB;

/**
 * Bytes of parts of files that wait for one client before more are refused. One 10 MiB file in v1's base64 must fit,
 * since v1 senders push a whole file at once; other senders send a client only the chunks it asked for.
 */
export const OUTBOX_BULK_MAX_BYTES = 16 * MIB;

/** What waits for all clients, in bytes. A body that waits for several counts once; above this the heaviest pay. */
export const OUTBOX_BUDGET = { most: 512 * MIB, reserve: 32 * KIB } as const;

/** Bytes sealed into one write: enough to share a system call, small enough to keep pings prompt. */
export const OUTBOX_WRITE_BYTES = 128 * KIB;

/** Bytes of parts of files in one write: what talk that comes just behind it has to wait for. */
export const OUTBOX_BULK_WRITE_BYTES = 64 * KIB;

/** Read buffer of a quiet connection: a ping's answer and a line of talk fit, more comes in two reads. */
export const READ_BUFFER_IDLE_BYTES = 256;

/** On a graceful stop, how long outboxes may take to drain. */
export const STOP_DRAIN_MS = 3_000;

/** Sessions that the next process took over count as here for this long; a client that is not back then is away. */
export const EXPECTED_BACK_MS = 10_000;

/** How long `cmdchat-server keep` waits for the next process: a second start after a failed one is still in time. */
export const KEEP_MS = 60_000;

/** Bytes of a first v2 message; until the token was right, nobody may send more. */
export const HELLO_MAX_BYTES = 4 * KIB;

/** Events that a room remembers for those who come back. */
export const ROOM_MEMORY_EVENTS = 2_000;

/** Bytes of events that a room remembers. */
export const ROOM_MEMORY_BYTES = MIB;

/** Bytes that all rooms of a server remember together; above this the rooms of the heaviest source forget. */
export const ROOM_MEMORY_BUDGET = { most: 256 * MIB, reserve: 16 * KIB } as const;

/** Members of one room that are banned or muted at a time; the oldest decision gives way. */
export const MODERATED_MAX = 1_000;

/** Bans of addresses from rooms, of all rooms together; above this whoever made most of them loses the oldest. */
export const ROOM_BANS_BUDGET = { most: 10_000, reserve: 16, ceiling: 12_000 } as const;

/** Mutes and paces of members that left their room, of all rooms together; above this as with bans. */
export const DEPARTED_BUDGET = { most: 10_000, reserve: 16, ceiling: 12_000 } as const;

/** While somebody of an address is muted, how long after the last one of it came or left the next may come in. */
export const DEPARTED_REJOIN_MS = 60_000;

/** Sessions that an admin ended and whose clients may not come back by their tickets; above this as with bans. */
export const EXPELLED_BUDGET = { most: 10_000, reserve: 16, ceiling: 12_000 } as const;

/** Bytes of a notice of the operator's: a few rows of a terminal. */
export const ADMIN_NOTICE_MAX_BYTES = 512;

/** Refused requests that a session remembers, so that a repeat is refused again. */
export const DECLINED_REMEMBERED = 64;

/** Chunks that a member may have asked of all others and not got: half of its outbox. */
export const SEALED_CHUNKS_OPEN_MAX = 128;

/** The same of all members together: 8 MiB. */
export const SEALED_CHUNKS_ALL_MAX = 256;

/** Sealed rooms that one session may be in. */
export const SEALED_ROOMS_PER_SESSION = 8;

/** What a sealed room remembers for those who come back. */
export const SEALED_RING = { frames: 512, bytes: MIB } as const;

/** What commits may take of it: a member that comes back without them has to join again, and commits alone cannot fill it. */
export const SEALED_RING_COMMITS = { frames: 256, bytes: 512 * KIB } as const;

/** Bytes that all sealed rooms of a server remember together; above this the rooms of the heaviest source forget. */
export const SEALED_MEMORY_BUDGET = { most: 256 * MIB, reserve: 16 * KIB } as const;

/** How long one member has to give its GroupInfo before the next is asked. */
export const SEALED_GROUP_INFO_MS = 2_000;

/** Members that are asked for a GroupInfo for one who joins. */
export const SEALED_GROUP_INFO_TRIES = 5;

/** How long one who joins has for its commit before the next has its turn; halved down to the second for each in vain. */
export const SEALED_JOIN_TURN_MS = { first: 3_000, least: 500 } as const;

/** How long one member has to judge the commit of one who joins before the next is asked. */
export const SEALED_CHECK_MS = 2_000;

/** Members that are asked to judge the commit of one who joins. */
export const SEALED_CHECK_TRIES = 3;

/** Sources whose turns in vain a sealed room remembers. */
export const SEALED_SOURCES_KEPT = 1_000;

/** Connections of one source that may be attached to a sealed room without being in its group. */
export const SEALED_GUESTS_OF_A_SOURCE = 16;

/** The same of all sources. */
export const SEALED_GUESTS_MAX = 64;

/** A connection that has not asked to join for this long gives way to another. */
export const SEALED_GUEST_IDLE_MS = 5_000;

/** Members are told at most this often how many connections are not in the group. */
export const SEALED_GUESTS_TOLD_MS = 1_000;

/** How long one member has to remove a member that is gone before the next is asked. */
export const SEALED_EVICT_MS = 5_000;

/** After all were asked to remove somebody in vain, the pause before they are asked again. */
export const SEALED_EVICT_PAUSE_MS = 60_000;

/** How long a commit can be voted on: as long as members keep the state before it. */
export const SEALED_VOTE_MS = 10_000;

/** Commits that can be voted on at once. */
export const SEALED_VOTES_OPEN_MAX = 16;

/** Voided commits of a room that are refused when they come again, and told to those who come back. */
export const SEALED_VOIDED_MAX = 64;

/** After a relay restarted, how long one with a later state may still correct what another brought back. */
export const SEALED_BRING_BACK_MS = 5_000;

/** After a commit was voided, how long its address is kept out of the room; doubled each time up to the second. */
export const SEALED_PENALTY_MS = { first: 10_000, most: 600_000 } as const;
