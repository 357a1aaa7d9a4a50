// Every size, count and time-out, each with its reason. What an operator would turn is an option
// of the server whose default stands here.

const KIB = 1024;
const MIB = 1024 * KIB;

/** Largest frame body in bytes: fixed by the v1 wire format. */
export const FRAME_MAX_BYTES = 65_536;

/** Default for `--max-message`: bytes of UTF-8 in one chat message. */
export const MESSAGE_MAX_BYTES = 4 * KIB;

/** Above this a message would no longer fit one v1 frame: JSON may write a byte as `\u00XX`, base64 adds a third. */
export const MESSAGE_MAX_BYTES_CEILING = 7 * KIB;

/** Default for `--max-file`: bytes of one file. */
export const FILE_MAX_BYTES = 10 * MIB;

/** Largest value of `--max-file`: receivers hold an unaccepted file in memory. */
export const FILE_MAX_BYTES_CEILING = 100 * MIB;

/** Bytes of one file chunk before base64: fixed by the v1 wire format. */
export const FILE_CHUNK_BYTES = 32 * KIB;

/** Transfers that one sender may have open at once. */
export const FILE_TRANSFERS_PER_SENDER = 4;

/** Bytes of unaccepted or unfinished files that a client holds in memory, from all senders together. */
export const FILE_HELD_MAX_BYTES = 64 * MIB;

/** Files from all senders together that wait for an answer or for their end; each costs more than its bytes. */
export const FILE_OFFERS_MAX = 64;

/** An offered file that nobody accepts is forgotten after this, and its memory freed. */
export const FILE_OFFER_MS = 600_000;

/** Silence in the middle of a file after which its sender counts as gone: v1 has no word for giving up. */
export const FILE_STALLED_MS = 60_000;

/** How long a server may take to give our offer back to us, which says that it took it. */
export const FILE_CONFIRM_MS = 15_000;

/** Chunks that a receiver may ask for at once: 1 MiB, which its outbox takes several times. */
export const FILE_PULL_CHUNKS_MAX = 32;

/** A receiver that hears nothing of a file for this long asks for what comes next. */
export const FILE_PULL_AGAIN_MS = 5_000;

/** What one receiver may be sent again of one file: so often the whole, and chunks beyond that; and of how many is kept. */
export const FILE_PULLS = { times: 4, chunks: 256, receivers: 1_000 } as const;

/** Files of one sender that are through, whose parts may still be asked for; the oldest gives way. */
export const FILE_SERVED_MAX = 8;

/** How long a sender keeps a file open that nobody asks parts of: a link that is lost unnoticed, and its hold. */
export const FILE_SERVED_MS = 300_000;

/** Bytes of a file's name on disk; most file systems stop at 255, and a suffix must still fit. */
export const FILE_NAME_MAX_BYTES = 200;

/** Bytes of a file's name on the wire. */
export const FILE_NAME_WIRE_MAX_BYTES = KIB;

/** Characters (code points) in a name or a room's name. */
export const NAME_MAX_CHARACTERS = 32;

/** Bytes of UTF-8 in a name or a room's name. */
export const NAME_MAX_BYTES = 64;

/** Combining marks in a row; more draw over neighbouring rows ("zalgo"). Living scripts need up to 4. */
export const MARKS_IN_A_ROW_MAX = 4;

/** Bytes of a token on the wire; compared as a digest, so its length costs nothing else. */
export const TOKEN_MAX_BYTES = 256;

/** Default for `--rate-limit`: messages in a window. */
export const RATE_LIMIT_MESSAGES = 12;

/** Default for `--rate-limit`: the window in seconds. */
export const RATE_LIMIT_SECONDS = 5;

/** Requests of any kind that a client may send at once: what it kept over an outage, several times over. */
export const PACE_BURST = 200;

/** Requests a second beyond that burst; more wait unread. 64 clients at this pace cost a tenth of a core. */
export const PACE_PER_SECOND = 50;

/** Longest that a client which sends more is left unread; its leave must still be noticed soon. */
export const PACE_PAUSE_MAX_MS = 1_000;

/** A client that sends more for this long is closed: what it leaves unread would keep it in its room for minutes. */
export const PACE_PATIENCE_MS = 10_000;

/** Default for `--max-connections`. */
export const CONNECTIONS_MAX = 10_000;

/** Default for `--max-per-address`: a household or an office behind one address fits. */
export const CONNECTIONS_PER_ADDRESS_MAX = 64;

/** Default for `--max-rooms`; an empty room is forgotten at once. */
export const ROOMS_MAX = 10_000;

/** Rooms that one session may be in: what fits a hello, and more than one person follows. */
export const SESSION_ROOMS_MAX = 32;

/** Bytes of a room's topic: two rows of a terminal, told to everyone who comes in. */
export const TOPIC_MAX_BYTES = 256;

/** Bytes of what one says about being away: a row, in the list of every room. */
export const AWAY_TEXT_MAX_BYTES = 128;

/** Members told in one message: with long names and away texts that is half a megabyte. */
export const MEMBERS_PART_MAX = 2_000;

/** Chats of a room of which the server knows who said them, so that only they may change them. */
export const AUTHORS_REMEMBERED = 1_000;

/** Bytes of direct messages that wait for a session whose link was lost; counted as unsent. */
export const MAILBOX_MAX_BYTES = 64 * KIB;

/** A member's "is writing" is passed on once in this time; a client shows it twice as long. */
export const TYPING_QUIET_MS = 3_000;

/** The TLS handshake and the first message must both be complete within this. */
export const HANDSHAKE_DEADLINE_MS = 10_000;

/** Seconds between pings, as v1 announces it in handshake_ok. */
export const HEARTBEAT_INTERVAL_S = 15;

/** Silence after which a peer counts as dead: three missed pings. */
export const HEARTBEAT_TIMEOUT_MS = 45_000;

/** How often deadlines are looked at; one timer serves all connections. */
export const HEARTBEAT_SWEEP_MS = 1_000;

/**
 * Bytes of unsent bodies for one member before it is closed as too slow. One 10 MiB file in v1's
 * base64 must fit, since v1 senders push a whole file at once; bodies are shared among members.
 */
export const OUTBOX_MAX_BYTES = 16 * MIB;

/** Bytes of unsent bodies of all members together, each member's counted in full. */
export const OUTBOX_TOTAL_MAX_BYTES = 512 * MIB;

/** Bytes sealed into one write: enough to share a system call, small enough to keep pings prompt. */
export const OUTBOX_WRITE_BYTES = 128 * KIB;

/** Read buffer of a quiet connection: a ping's answer and a line of talk fit, more comes in two reads. */
export const READ_BUFFER_IDLE_BYTES = 256;

/** Read buffer while a connection is busy. */
export const READ_BUFFER_BUSY_BYTES = 64 * KIB;

/** On a graceful stop, how long outboxes may take to drain. */
export const STOP_DRAIN_MS = 3_000;

/** Sessions that the next process took over count as here for this long; who is not back then is away. */
export const EXPECTED_BACK_MS = 10_000;

/** How long `cmdchat-server keep` waits for the next process: a second start after a failed one is still in time. */
export const KEEP_MS = 60_000;

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

/** Default, least and most of `--buffer-size`: messages a client keeps for scrolling back in memory. */
export const BUFFER_SIZE = { default: 200, min: 10, max: 1_000 } as const;

/** Bytes of the longest v2 handshake message. Ours have 2.2 KB; nobody may send 64 KB before having keys. */
export const HANDSHAKE_MAX_BYTES = 8 * KIB;

/** Bytes of the largest v2 record with its header: one buffer of 64 KiB holds it. */
export const RECORD_MAX_BYTES = 65_536;

/** Bytes of the largest v2 message, cut into records; group messages of 200 members reach some 150 KB. */
export const BODY_MAX_BYTES = MIB;

/** Records under one v2 key: at most 2^36 bytes, where GCM is safe to 2^38.5 (RFC 8446 §5.5). */
export const REKEY_RECORDS = 2 ** 20;

/** Milliseconds under one v2 key: a stolen key opens at most this much of what follows it. */
export const REKEY_MS = 600_000;

/** Characters of an invite link. */
export const LINK_MAX_CHARACTERS = 2 * KIB;

/** Bytes that name a v2 session among those a server holds; not secret. */
export const SESSION_ID_BYTES = 16;

/** Bytes that prove, inside a sealed session, that a client owns the session it wants back. */
export const SESSION_SECRET_BYTES = 32;

/** Default for `--hold`: seconds that the session of a lost link is held. */
export const HOLD_S = 60;

/** Bytes of a first v2 message; until the token was right, nobody may send more. */
export const HELLO_MAX_BYTES = 4 * KIB;

/** Events that a room remembers for those who come back. */
export const ROOM_MEMORY_EVENTS = 2_000;

/** Bytes of events that a room remembers. */
export const ROOM_MEMORY_BYTES = MIB;

/** Members of one room that are banned or muted at a time; the oldest decision gives way. */
export const MODERATED_MAX = 1_000;

/** Bytes of a notice of the operator's: a few rows of a terminal. */
export const OPERATOR_NOTICE_MAX_BYTES = 512;

/** Longest ban, mute or pause in s: 30 days. */
export const MODERATION_MAX_S = 2_592_000;

/** Refused requests that a session remembers, so that a repeat is refused again. */
export const DECLINED_REMEMBERED = 64;

/** Messages of a room that a client remembers for quoting and changing. */
export const SAID_REMEMBERED = 200;

/** Lines of each room that is not the current one which a client holds back where it only counts them. */
export const HELD_LINES_MAX = 200;

/** A clock that jumps this far between two looks a second apart: the machine was asleep. */
export const WAKE_JUMP_MS = 5_000;

/** After a wake, a server that gives no sign of life within this is gone: the client reconnects. */
export const WAKE_ANSWER_MS = 3_000;

/** Messages that a client keeps while it has no connection; more are refused, and stay in the input line. */
export const UNSENT_MAX = 100;

/** Members of a sealed room: at 200 a join costs every member 60 ms, and its GroupInfo has 62 KB. */
export const SEALED_MEMBERS_MAX = 200;

/** Bytes of a commit, message or GroupInfo of a sealed room: the GroupInfo of 200 in its envelope, twice over. */
export const SEALED_BODY_MAX_BYTES = 256 * KIB + 28;

/** Bytes of a sealed file chunk: 64 KiB and what seals it. */
export const SEALED_CHUNK_MAX_BYTES = 64 * KIB + 256;

/** Bytes of a request for chunks: names a file and a place in it. */
export const SEALED_PULL_MAX_BYTES = 4 * KIB;

/** Chunks that one request for them may let through: 2 MiB. */
export const SEALED_PULL_CHUNKS_MAX = 32;

/** Chunks that a member may have asked of all others and not got: half of its outbox. */
export const SEALED_CHUNKS_OPEN_MAX = 128;

/** Sealed rooms that one session may be in. */
export const SEALED_ROOMS_PER_SESSION = 8;

/** What a sealed room remembers for those who come back. */
export const SEALED_RING = { frames: 512, bytes: MIB } as const;

/** What commits may take of it: without them who comes back must join anew, and nobody fills it with them alone. */
export const SEALED_RING_COMMITS = { frames: 256, bytes: 512 * KIB } as const;

/** Bytes that all sealed rooms of a server remember together. */
export const SEALED_MEMORY_MAX_BYTES = 256 * MIB;

/** How long one member has to give its GroupInfo before the next is asked. */
export const SEALED_GROUP_INFO_MS = 2_000;

/** Members that are asked for a GroupInfo for one who joins. */
export const SEALED_GROUP_INFO_TRIES = 5;

/** How long one who joins has for its commit before the next has its turn. */
export const SEALED_JOIN_TURN_MS = 3_000;

/** How long one member has to remove who is gone before the next is asked. */
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
