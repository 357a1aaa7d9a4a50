// How large a request may be: the server looks at that before it decodes anything.

import {
  FILE_CHUNK_BYTES,
  SEALED_APP_MAX_BYTES,
  SEALED_BODY_MAX_BYTES,
  SEALED_CHUNK_MAX_BYTES,
  SEALED_PULL_MAX_BYTES,
} from "../base/limits.ts";
import { type Request, REQUESTS } from "./messages_v2.ts";

const KIB = 1_024;
// A text with the fields around it. Texts a little above --max-message are declined with both numbers; those far above
// it are not even decoded, and no client that knows its welcome sends them.
const TEXT_REQUEST_BYTES = 16 * KIB;
const CHUNK_REQUEST_BYTES = FILE_CHUNK_BYTES + 2 * KIB;
const SEALED_BODY_REQUEST_BYTES = SEALED_BODY_MAX_BYTES + 4 * KIB;
const SMALL_REQUEST_BYTES = 4 * KIB;

/** Bytes of the largest body of each request: checked before anything of it is decoded. docs/PROTOCOL.md §7. */
export const REQUEST_MAX_BYTES: Readonly<Record<Request["kind"], number>> = {
  ...Object.fromEntries(Object.keys(REQUESTS).map((kind) => [kind, SMALL_REQUEST_BYTES])) as Record<
    Request["kind"],
    number
  >,
  chat: TEXT_REQUEST_BYTES,
  revise: TEXT_REQUEST_BYTES,
  direct: TEXT_REQUEST_BYTES,
  pin: TEXT_REQUEST_BYTES,
  chunk: CHUNK_REQUEST_BYTES,
  part: CHUNK_REQUEST_BYTES,
  sealed_group_info: SEALED_BODY_REQUEST_BYTES,
  sealed_commit: SEALED_BODY_REQUEST_BYTES,
  sealed_app: SEALED_APP_MAX_BYTES + 4 * KIB,
  sealed_chunk: SEALED_CHUNK_MAX_BYTES + 2 * KIB,
  sealed_pull: SEALED_PULL_MAX_BYTES + KIB,
};
