// Sizes, counts and time-outs that both sides share, each with its reason. Where the server has an option for one,
// this is its default.

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

/** Largest value of `--max-file`: a sender keeps 32 bytes for each chunk, so 16 MiB. */
export const FILE_MAX_BYTES_CEILING = 16 * 1_024 * MIB;

/** Default for `--max-connections`, and so the most names of a room that v1 tells. */
export const CONNECTIONS_MAX = 10_000;

/** Bytes of one file chunk before base64: fixed by the v1 wire format. */
export const FILE_CHUNK_BYTES = 32 * KIB;

/** Chunks of the largest file. */
export const FILE_CHUNKS_MAX = FILE_MAX_BYTES_CEILING / FILE_CHUNK_BYTES;

/** Transfers that one sender may have open at once. */
export const FILE_TRANSFERS_PER_SENDER = 4;

/** Chunks that a receiver may ask for at once: 1 MiB, which its outbox takes several times. */
export const FILE_PULL_CHUNKS_MAX = 32;

/** Receivers that get one chunk by one `part`. */
export const FILE_PART_RECEIVERS_MAX = 64;

/**
 * How much of one file one receiver may get: the whole so many `times`, and so many `chunks` beyond that. The server
 * remembers this of so many `receivers`.
 */
export const FILE_PULLS = { times: 4, chunks: 256, receivers: 1_000 } as const;

/** What one receiver may say of one file: it accepts, fails to save, and tries again, a few times. */
export const FILE_RECEIPTS_MAX = 8;

/** Files of one sender that somebody has, and of which others may still ask for chunks; the oldest gives way. */
export const FILE_SERVED_MAX = 8;

/** Bytes of a file's name on disk; most file systems stop at 255, and a suffix must still fit. */
export const FILE_NAME_MAX_BYTES = 200;

/** Bytes of a file's name on the wire. */
export const FILE_NAME_WIRE_MAX_BYTES = KIB;

/** Bytes of UTF-8 of a reaction: the longest emoji that Unicode recommends, a family with skin tones, has 41. */
export const REACTION_MAX_BYTES = 64;

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

/** Largest `--rate-limit`: what fits its six digits, in an hour. */
export const RATE_MAX = { messages: 999_999, seconds: 3_600 } as const;

/** Rooms that one session may be in: what fits a hello, and more than one person follows. */
export const SESSION_ROOMS_MAX = 32;

/** Bytes of a room's topic: two rows of a terminal, told to everyone who comes in. */
export const TOPIC_MAX_BYTES = 256;

/** Members of one room that its maker may have made ops: more than anybody remembers why. */
export const OPS_MAX = 32;

/** Most lines of a room that may be kept for newcomers. */
export const BACKLOG_MAX_LINES = 100;

/** Bytes of a pinned text, told to everyone who comes in: what is longer is cut. */
export const PIN_TEXT_MAX_BYTES = KIB;

/** Bytes of what one says about being away: a row, in the list of every room. */
export const AWAY_TEXT_MAX_BYTES = 128;

/** Members told in one message: with long names and away texts that is half a megabyte. */
export const MEMBERS_PART_MAX = 2_000;

/** A member's "is writing" is passed on once in this time; a client shows it twice as long. */
export const TYPING_QUIET_MS = 3_000;

/** Questions for device keys of one session: enough for who knows many in a room, and few enough to be answered. */
export const PROOF_ASKS = { messages: 40, seconds: 5 } as const;

/** Seconds between pings, as v1 announces it in handshake_ok. */
export const HEARTBEAT_INTERVAL_S = 15;

/** Silence after which a peer counts as dead: three missed pings. */
export const HEARTBEAT_TIMEOUT_MS = 45_000;

/** How often deadlines are looked at; one timer serves all connections. */
export const HEARTBEAT_SWEEP_MS = 1_000;

/** Read buffer while a connection is busy. */
export const READ_BUFFER_BUSY_BYTES = 64 * KIB;

/**
 * Longest pause that a server with too many handshakes asks a client for, ms. A man in the middle can ask for one as
 * well.
 */
export const BUSY_PAUSE_MAX_MS = 30_000;

/** Bytes of the longest v2 handshake message. Real ones have 2.2 KB; a peer without keys may not send 64 KB. */
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

/** Default for `--hold`: seconds that the session of a lost connection is held. */
export const HOLD_S = 60;

/** Longest `--hold` in s: an hour. */
export const HOLD_MAX_S = 3_600;

/** Longest wait of a timer in ms, some 24 days: the runtime fires a longer one at once. */
export const TIMER_MAX_MS = 2 ** 31 - 1;

/** Latest time in ms since 1970 that a date can hold (ECMA-262 §21.4.1.1). */
export const TIME_MAX_MS = 8.64e15;

/** Longest ban, mute or pause in s: 30 days. */
export const MODERATION_MAX_S = 2_592_000;

/** Members of a sealed room: at 200 a join costs every member 60 ms, and its GroupInfo has 62 KB. */
export const SEALED_MEMBERS_MAX = 200;

/** Bytes of a commit, message or GroupInfo of a sealed room: the GroupInfo of 200 in its envelope, twice over. */
export const SEALED_BODY_MAX_BYTES = 256 * KIB + 28;

/**
 * Bytes of what a member says in a sealed room: twice the largest that a client seals, a direct text in its envelope.
 * All members are sent it, as often as the rate limit allows, also over slow links.
 */
export const SEALED_APP_MAX_BYTES = 32 * KIB + 28;

/** Bytes of a sealed file chunk: 32 KiB and what seals it. */
export const SEALED_CHUNK_MAX_BYTES = 32 * KIB + 256;

/** Bytes of a request for chunks: names a file and a place in it. */
export const SEALED_PULL_MAX_BYTES = 4 * KIB;

/** Chunks that one request for them may let through: 1 MiB. */
export const SEALED_PULL_CHUNKS_MAX = 32;

/** Characters of the longest name of a host (RFC 1035 §2.3.4). */
export const HOST_MAX_CHARACTERS = 253;

/** Other servers of a cluster that clients are told of. */
export const OTHER_SERVERS_MAX = 16;
/** Longest that an invite may be open: a week. */
export const INVITE_MAX_S = 604_800;

/** Most sessions that a counted invite may let in; more is no invitation. */
export const INVITE_USES_MAX = 1_000;

/** Invites that are listed at once: as many as those who have one token may have open. */
export const INVITES_LISTED_MAX = 64;
