// Computes handshakes beside the thread that serves members, while many wait. It is started without any right: no network,
// no file, no environment.

import { ServerHandshake, type ServerSession } from "../../shared/channel/handshake.ts";
import { identityFromText } from "../../shared/crypto/identity.ts";

/** What the worker is asked: first the identity, as identityToText() writes it, then clients' first messages. */
export type ToHandshakeWorker =
  | { readonly identity: string }
  | { readonly id: number; readonly first: Uint8Array };

/** What it says: once that it is ready, then a session for each message, or none where the message is refused. */
export type FromHandshakeWorker =
  | { readonly ready: true }
  | { readonly id: number; readonly session: ServerSession | undefined };

const scope = self as unknown as {
  onmessage: (message: MessageEvent<ToHandshakeWorker>) => void;
  postMessage(message: FromHandshakeWorker): void;
};

let handshakes: ServerHandshake | undefined;

async function compute(id: number, first: Uint8Array): Promise<void> {
  const session = await handshakes?.receive(first).catch(() => undefined);
  scope.postMessage({ id, session });
  if (session === undefined) return;
  // What was posted is a copy.
  const { clientSecret, serverSecret, challenge } = session.keys;
  for (const secret of [clientSecret, serverSecret, challenge]) secret.fill(0);
}

scope.onmessage = async ({ data }) => {
  if ("id" in data) return await compute(data.id, data.first);
  handshakes = new ServerHandshake(await identityFromText(data.identity));
  scope.postMessage({ ready: true });
};
