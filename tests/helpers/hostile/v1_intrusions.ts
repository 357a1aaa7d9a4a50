// A v1 message of each kind, which shows where it has an effect: the text "intruder".

import type { Payload } from "../peers/v1_peer.ts";

/** One of each kind. */
export const INTRUSIONS: readonly Payload[] = [
  { type: "chat", message: "intruder" },
  { type: "system", message: "intruder" },
  { type: "pong" },
  { type: "rename", name: "intruder" },
  { type: "switch_room", room: "lobby" },
  { type: "file_init", file_id: "f", filename: "intruder", filesize: 3, total_chunks: 1 },
  { type: "file_chunk", file_id: "f", chunk_index: 0, chunk_data: "AAAA", is_final: true },
];
