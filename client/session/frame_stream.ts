// Frames out of a connection, and what first bytes of other protocols mean.

import { ConnectionError } from "../../shared/base/errors.ts";
import { FrameReader } from "../../shared/channel/frame.ts";
import type { Connection } from "../net/endpoint.ts";

/** Frame bodies of a connection; `tls` decides what a foreign answer means. Throws ConnectionError, ProtocolError. */
export async function* readFrames(
  connection: Connection,
  tls: boolean,
): AsyncGenerator<Uint8Array, void> {
  const reader = new FrameReader();
  let first = true;
  for (let chunk = await connection.read(); chunk !== undefined; chunk = await connection.read()) {
    if (first) refuseForeign(chunk, tls);
    first = false;
    yield* reader.push(chunk);
  }
  if (reader.pending) throw new ConnectionError("The connection to the server broke in a message");
}

/** The error of a server that closed without a word. */
export function closedBeforeAnswer(tls: boolean): ConnectionError {
  return new ConnectionError(
    "Cannot talk to the server: it closed the connection without an answer",
    {
      hint: tls
        ? "it may be full, or not a cmdchat server"
        : "it may be full, not a cmdchat server, or speak TLS on this port (--tls)",
    },
  );
}

/** First bytes that no cmdchat server sends: a TLS alert, or a line of text. */
function refuseForeign(chunk: Uint8Array, tls: boolean): void {
  if (!tls && chunk[0] === 0x15 && chunk[1] === 0x03) {
    throw new ConnectionError("Cannot talk to the server: it speaks TLS on this port", {
      hint:
        "add --tls; a self-signed certificate needs an invite link, --fingerprint or --ca-file too",
    });
  }
  if ((chunk[0] ?? 0) !== 0) {
    throw new ConnectionError("Cannot talk to the server: it is not a cmdchat server", {
      hint: "check host and port",
    });
  }
}
