// Sizes, counts and time-outs that only the server uses, each with its reason.
// Limits that an operator would change are options; their defaults are here.

import { INVITES_LISTED_MAX } from "../../shared/base/limits.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

/** Requests that a client may send in one burst: several times what it queues during an outage. */
export const PACE_BURST = 200;

/** Bytes that count as one more request: decrypting and decoding them takes about as long as a small request. */
export const PACE_BYTES = 8 * KIB;

/** Requests a second after that burst; more wait unread. 64 clients at this pace cost a tenth of a core. */
export const PACE_PER_SECOND = 50;

/**
 * Parts of files that a client gets for one request of its pace: asking for as much as arrives is never slowed down.
 */
export const PACE_PARTS = 4;

/** Longest pause in reading from a client that sends more; its leaving must still be noticed soon. */
export const PACE_PAUSE_MAX_MS = 1_000;

/** A client that sends more for this long is disconnected: its unread requests would keep it in a room for minutes. */
export const PACE_PATIENCE_MS = 10_000;

/** Reading goes on after this much work only when all who sent something meanwhile could be heard; ms. */
export const TURN_MS = 8;

/** Default for `--max-per-address`: enough for a household or an office behind one address. */
export const CONNECTIONS_PER_ADDRESS_MAX = 64;

/**
 * Default for `--connection-rate`: new connections from one address. After an outage all of `--max-per-address` connect
 * at once, some twice; in the long run, 13 handshakes a second take about one hundredth of a core.
 */
export const CONNECTION_RATE = { messages: 128, seconds: 10 } as const;

/**
 * Wrong tokens from one address after which its new clients are refused for a while: a person mistypes a few times, and
 * a guesser gets 10 a minute. Sessions that are resumed are not affected.
 */
export const WRONG_TOKEN_RATE = { messages: 10, seconds: 60 } as const;

/** Open invites that one address had made: a person invites a group of friends one by one. */
export const INVITES_PER_SOURCE = 16;

/** Open invites of all who have one token: one list shows them. */
export const INVITES_PER_TOKEN = INVITES_LISTED_MAX;

/** Open invites of a server; each takes some 300 bytes. */
export const INVITES_MAX = 1_024;

/**
 * Joins of one address into one room: each shows a name. After an outage all of `--max-per-address` join at once, some
 * twice; in the long run, somebody who joins and leaves is shown every five seconds.
 */
export const JOIN_RATE = { messages: 128, seconds: 640 } as const;

/** Handshakes that are computed at a time; the others wait, and members are served between any two. */
export const HANDSHAKES_AT_ONCE = 4;

/**
 * Where so many wait for their turn, some ms of the thread that serves members, a worker computes them from then on. It
 * takes 15 MiB, and ends where it was idle for so long. It has twice as many at a time as the thread would compute: it
 * goes on with some while the answers of others are written. A server to which all clients may be about to come back starts
 * it `aheadAfterMs` after itself, when nobody waits for the thread yet, and ends it where none has come for `aheadIdleMs`.
 */
export const HANDSHAKE_WORKER = {
  waiting: 8,
  atOnce: 8,
  idleMs: 600_000,
  aheadAfterMs: 100,
  aheadIdleMs: 30_000,
} as const;

/** TLS handshakes that are computed at a time: more would only delay members for longer. */
export const TLS_HANDSHAKES_AT_ONCE = 1;

/** Default for `--max-rooms`; an empty room is forgotten at once. */
export const ROOMS_MAX = 10_000;

/** Messages of a room whose senders the server remembers, so that only they can edit them. */
export const AUTHORS_REMEMBERED = 1_000;

/** Bytes of direct messages that wait for a session whose connection was lost; counted as unsent. */
export const MAILBOX_MAX_BYTES = 64 * KIB;

/**
 * Connections that the system keeps until they are accepted. Beyond that it drops them silently, and their clients' next
 * tries come after 1, 3, 7 and 15 s: after an outage they all come within one second. Linux allows 4,096 by itself.
 */
export const LISTEN_BACKLOG = 4_096;

/** A client whose turn would come later is told when to come back: it would be late for its own deadline. */
export const HANDSHAKE_PATIENCE_MS = 4_000;

/** The TLS handshake and the first message must both be complete within this. */
export const HANDSHAKE_DEADLINE_MS = 10_000;

/** The other servers must agree within this that an invite is made or used, and leave time for the rest of a handshake. */
export const INVITE_WAIT_MS = 3_000;

/** The page must be sent within this time: 6 KB/s suffice. The request itself has the handshake's deadline. */
export const PAGE_DEADLINE_MS = 30_000;

/** Bytes of talk that wait for one client; above this it is disconnected because it does not read. */
export const OUTBOX_MAX_BYTES = 16 * MIB;

/**
 * Bytes of parts of files that wait for one client before more are refused: somebody who asks for all of a 10 MiB file
 * at once gets it. Our clients ask for 2 MiB.
 */
export const OUTBOX_BULK_MAX_BYTES = 16 * MIB;

/**
 * A v1 sender cannot be asked for what a client has room for, so the server reads it no faster than those who get its
 * file: while so much waits for one of them, each further chunk waits, for `patienceMs` at most. A member that is
 * behind after `times` of these in a row loses the file: members with 1.4 Mbit/s and more get all of it, and one that
 * does not read delays it by two seconds. Over the bus of a cluster no sender is slowed down: there, `mostBytes` is the
 * bound.
 */
export const PUSHED_FILES = {
  waitingBytes: 512 * KIB,
  mostBytes: 4 * MIB,
  patienceMs: 250,
  lookMs: 10,
  times: 8,
} as const;

/**
 * Parts of files of which their sender hears at once, and how long it waits for fewer at most: little beside the 150 ms
 * that its window allows for.
 */
export const TAKEN_PARTS = { parts: 8, waitMs: 5 } as const;

/** Bytes that wait for all clients; a body that waits for several counts once. Above this the heaviest source pays. */
export const OUTBOX_BUDGET = { most: 512 * MIB, reserve: 32 * KIB } as const;

/** Bytes sealed into one write: enough to share a system call, small enough to keep pings prompt. */
export const OUTBOX_WRITE_BYTES = 128 * KIB;

/** Bodies of v1 in one write: each is sealed by itself, and a thousand would take ten milliseconds. */
export const OUTBOX_V1_WRITE_BODIES = 64;

/** Bytes of file chunks in one write: talk that comes right after has to wait for it. */
export const OUTBOX_BULK_WRITE_BYTES = 64 * KIB;

/**
 * An outbox where no more waits is sealed before the others: a few lines, as people type them. `presenceBytes` of joins
 * and leaves may wait as well: a member does not pay for a crowd that comes into its room.
 */
export const OUTBOX_PROMPT = { bytes: 2 * KIB, bodies: 8, presenceBytes: 8 * KIB } as const;

/**
 * Clients that get joins and leaves at once, within each `waitMs`: some 8 ms of the thread. The others wait that long;
 * then `inTurn` of them get theirs at a time, some 4 ms, every `lookMs`.
 */
export const PRESENCE = { atOnce: 500, waitMs: 1_000, inTurn: 250, lookMs: 20 } as const;

/** Read buffer of a quiet connection: a pong and a line of talk fit; more takes two reads. */
export const READ_BUFFER_IDLE_BYTES = 256;

/** Read buffer of a new connection: a client's first message fits, also with an RSA key of 4,096 bits. */
export const READ_BUFFER_FIRST_BYTES = 4 * KIB;

/** On a graceful stop, how long outboxes may take to drain. */
export const STOP_DRAIN_MS = 3_000;

/** Sessions that are about to be back count as present for this long; clients not back by then are away. */
export const EXPECTED_BACK_MS = 10_000;

/** The same where clients of their site were told to wait for longer, as with a crowd at its source: for this long at most. */
export const EXPECTED_BACK_MAX_MS = 60_000;

/**
 * A server that joins others lets nobody in before these have told it which sessions they have: a client that came from
 * one of them would lose its session. They answer its hello within `hello`; one that hangs holds it up for `most`.
 */
export const INTRODUCED_MS = { hello: 300, most: 3_000 } as const;

/** How long `cmdchat-server keep` waits for the next process: long enough for a second start after a failed one. */
export const KEEP_MS = 60_000;

/** Bytes of a first v2 message; before the token is checked, nobody may send more. */
export const HELLO_MAX_BYTES = 4 * KIB;

/** Events that a room remembers for members that come back. */
export const ROOM_MEMORY_EVENTS = 2_000;

/** Bytes of events that a room remembers. */
export const ROOM_MEMORY_BYTES = MIB;

/** Bytes of what one room keeps for newcomers; it is part of what servers tell each other of a room. */
export const BACKLOG_MAX_BYTES = 32 * KIB;

/** Bytes that all rooms of a server remember together; above this the rooms of the heaviest source forget. */
export const ROOM_MEMORY_BUDGET = { most: 256 * MIB, reserve: 16 * KIB } as const;

/** Bans and mutes of one room at a time; a new one replaces the oldest. */
export const MODERATED_MAX = 1_000;

/** Bans of addresses from rooms, in all rooms; above this the source that made most of them loses its oldest. */
export const ROOM_BANS_BUDGET = { most: 10_000, reserve: 16, ceiling: 12_000 } as const;

/** Mutes and paces of members that left their room, in all rooms; above this as with bans. */
export const DEPARTED_BUDGET = { most: 10_000, reserve: 16, ceiling: 12_000 } as const;

/** While a member of an address is muted: pause between two joins or leaves of that address. */
export const DEPARTED_REJOIN_MS = 60_000;

/** Sessions that an admin ended, whose tickets are refused; above this as with bans. */
export const EXPELLED_BUDGET = { most: 10_000, reserve: 16, ceiling: 12_000 } as const;

/** Bytes of an operator's notice: a few rows of a terminal. */
export const ADMIN_NOTICE_MAX_BYTES = 512;

/** Bytes of requests of all sessions that may wait for the other servers of a cluster, while NATS does not answer. */
export const UNDECIDED_MAX_BYTES = 64 * MIB;

/** Refused requests that a session remembers, so that a repetition is refused again. */
export const DECLINED_REMEMBERED = 64;

/** Chunks that a member has asked for and not received yet, from all others: half of its outbox. */
export const SEALED_CHUNKS_OPEN_MAX = 128;

/** The same for all members together: 8 MiB. */
export const SEALED_CHUNKS_ALL_MAX = 256;

/** Sealed rooms that one session may be in. */
export const SEALED_ROOMS_PER_SESSION = 8;

/** Bytes that a sealed room remembers for members that come back. */
export const SEALED_RING = { frames: 512, bytes: MIB } as const;

/** The part of it for commits: a member that missed a commit has to join again, and commits alone cannot fill it. */
export const SEALED_RING_COMMITS = { frames: 256, bytes: 512 * KIB } as const;

/** Bytes that all sealed rooms of a server remember together; above this the rooms of the heaviest source forget. */
export const SEALED_MEMORY_BUDGET = { most: 256 * MIB, reserve: 16 * KIB } as const;

/** How long members have to send their GroupInfo before others are asked as well. */
export const SEALED_GROUP_INFO_MS = 2_000;

/** After so many unused turns of a source, no member is asked for another GroupInfo because of it. */
export const SEALED_FRESH_MAX = 16;

/** A newcomer's time for its commit before the turn passes on; halved per failed turn, down to the second value. */
export const SEALED_JOIN_TURN_MS = { first: 3_000, least: 500 } as const;

/** How long members have to judge a newcomer's commit before others are asked as well. */
export const SEALED_CHECK_MS = 2_000;

/** Members that call a newcomer's commit unsound, and nobody sound, before it is refused. */
export const SEALED_CHECK_DENIALS = 3;

/** Sources whose failed turns a sealed room remembers. */
export const SEALED_SOURCES_KEPT = 1_000;

/** Connections of one source that may be attached to a sealed room without being in its group (guests). */
export const SEALED_GUESTS_OF_A_SOURCE = 16;

/** The same for all sources. */
export const SEALED_GUESTS_MAX = 64;

/** A guest that has not asked to join for this long gives way to another. */
export const SEALED_GUEST_IDLE_MS = 5_000;

/** The shortest time between two messages to members with the number of guests. */
export const SEALED_GUESTS_TOLD_MS = 1_000;

/** How long a member has to remove a departed one before the next is asked. */
export const SEALED_EVICT_MS = 5_000;

/** When all were asked to remove somebody and none did, the pause before they are asked again. */
export const SEALED_EVICT_PAUSE_MS = 60_000;

/** How long a commit can be voted on: as long as members keep the state before it. */
export const SEALED_VOTE_MS = 10_000;

/** Commits that can be voted on at once. */
export const SEALED_VOTES_OPEN_MAX = 16;

/** Voided commits of a room that are remembered, refused when sent again, and told to members that come back. */
export const SEALED_VOIDED_MAX = 64;

/** After a restart of the relay, how long a member with a later state can still replace the one that was restored. */
export const SEALED_BRING_BACK_MS = 5_000;

/** After a voided commit, how long its sender is kept out of the room; doubled each time up to the second value. */
export const SEALED_PENALTY_MS = { first: 10_000, most: 600_000 } as const;

/** Bytes of all logs in NATS together, unless a test has less. */
export const STREAM_BYTES = 256 * 1_024 * 1_024;
