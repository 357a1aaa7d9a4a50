// The stream that keeps the rooms' logs: found or made, checked, and measured.
//
// A stream that was lost and made again must not be taken for the old one, whose positions it repeats: each has a name
// of its own, which every append expects. NATS lets only one stream have the subjects.

import {
  DiscardPolicy,
  JetStreamApiError,
  type JetStreamManager,
  StorageType,
  type StreamConfig,
  type StreamInfo,
} from "@nats-io/jetstream";
import { ConfigError } from "../../shared/base/errors.ts";
import { quote } from "../../shared/base/sanitize.ts";
import type { Subject } from "../cluster/backplane.ts";
import type { NatsOptions } from "./nats_options.ts";

const STREAM_PREFIX = "CMDCHAT_";
/** Subjects of all rooms' logs. */
export const LOG_SUBJECTS: Subject = "cmdchat.room.*";
const SUBJECTS_OVERLAP = 10_065;
/** Entries that a log keeps: a room's memory for members that come back is at most as long. */
const LOG_ENTRIES = 512;
const NANOS_PER_MS = 1_000_000;

// All logs together are kept to half of the stream, in equal shares: a full stream refuses everybody.
const SHARE_OF_STREAM = 0.5;
const LOG_MAX_BYTES = 4 * 1_024 * 1_024;
const LOG_MIN_BYTES = 16 * 1_024;

/** How the stream must be. */
export type StreamOptions = Pick<NatsOptions, "replicas" | "streamBytes">;

/** The stream in use. */
export interface LogStream {
  readonly name: string;
  /** Bytes that one log may keep, now. */
  readonly logBytes: number;
}

/** The stream that has the logs' subjects; made if there is none. Throws ConfigError if it cannot be used. */
export async function findStream(
  manager: JetStreamManager,
  wanted: StreamOptions,
): Promise<LogStream> {
  const found = await listed(manager);
  if (found !== undefined) return checked(found, wanted);
  try {
    return checked(await manager.streams.add(newStream(wanted)), wanted);
  } catch (error) {
    if (!(error instanceof JetStreamApiError) || error.code !== SUBJECTS_OVERLAP) throw error;
    // Another server was first.
    const theirs = await listed(manager);
    if (theirs === undefined) throw error;
    return checked(theirs, wanted);
  }
}

async function listed(manager: JetStreamManager): Promise<StreamInfo | undefined> {
  for await (const info of manager.streams.list(LOG_SUBJECTS)) return info;
  return undefined;
}

function newStream({ replicas, streamBytes }: StreamOptions) {
  return {
    name: STREAM_PREFIX + crypto.randomUUID().replaceAll("-", ""),
    subjects: [LOG_SUBJECTS],
    num_replicas: replicas,
    storage: StorageType.Memory,
    // A full stream refuses: with the other policy it drops the oldest entries, which are those of quiet rooms.
    discard: DiscardPolicy.New,
    max_msgs_per_subject: LOG_ENTRIES,
    max_bytes: streamBytes,
    // Compare-and-set recognizes repeats; the window of message ids is not used.
    duplicate_window: 1_000 * NANOS_PER_MS,
  };
}

/** Each property that matters: what it must be, and how to say that it is not. */
function differences(config: StreamConfig, { replicas, streamBytes }: StreamOptions): string[] {
  const rows: readonly (readonly [isSo: boolean, difference: string])[] = [
    [config.storage === StorageType.Memory, "it keeps rooms in files, not in memory"],
    [
      config.num_replicas === replicas,
      `it keeps ${config.num_replicas} copies, and --nats-replicas is ${replicas}`,
    ],
    [
      config.subjects.join() === LOG_SUBJECTS,
      `its subjects are ${config.subjects.map((subject) => quote(subject)).join(", ")}`,
    ],
    [config.discard === DiscardPolicy.New, "it drops old entries when it is full"],
    [
      config.max_bytes === streamBytes,
      `it takes ${config.max_bytes} bytes, not ${streamBytes}`,
    ],
    [
      config.max_msgs_per_subject === LOG_ENTRIES,
      `it keeps ${config.max_msgs_per_subject} entries of a room, not ${LOG_ENTRIES}`,
    ],
    [(config.max_msgs ?? -1) <= 0, `it keeps ${config.max_msgs} entries of all rooms`],
    [(config.max_age ?? 0) === 0, "it drops entries by age"],
    [(config.max_msg_size ?? -1) <= 0, `it takes entries up to ${config.max_msg_size} bytes`],
    [config.retention === "limits", `its retention is ${config.retention}`],
    [config.discard_new_per_subject !== true, "it refuses entries of a room that is long"],
    [!config.deny_purge, "it cannot be trimmed"],
    [!config.sealed, "it is sealed"],
  ];
  return rows.flatMap(([isSo, difference]) => isSo ? [] : [difference]);
}

function checked(info: StreamInfo, wanted: StreamOptions): LogStream {
  const differ = differences(info.config, wanted);
  if (differ.length === 0) return measured(info);
  throw new ConfigError(
    `Cannot use the NATS stream ${quote(info.config.name)}: ${differ.join("; ")}`,
    {
      hint: "remove that stream, or use another NATS account; all servers need one --nats-replicas",
    },
  );
}

/** The stream as `info` describes it: the more is in it, and the more rooms there are, the less one log may keep. */
export function measured({ config, state }: StreamInfo): LogStream {
  const share = config.max_bytes * SHARE_OF_STREAM / Math.max(state.num_subjects ?? 1, 1);
  return {
    name: config.name,
    logBytes: Math.min(Math.max(Math.floor(share), LOG_MIN_BYTES), LOG_MAX_BYTES),
  };
}
