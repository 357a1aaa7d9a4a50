// The rows about device keys in plain rooms (docs/PROTOCOL.md §8.9), which the table of session v2 takes in.

import * as z from "zod/mini";
import { PROOF_BYTES } from "../crypto/device_key.ts";
import type { ClientId, RoomId } from "./ids.ts";

const count = z.int().check(z.minimum(0));
const room: z.ZodMiniType<RoomId> = count;
const client: z.ZodMiniType<ClientId> = count;

function bytes(length: number) {
  return z.custom<Uint8Array>((value) => value instanceof Uint8Array && value.length === length);
}

const nonce = bytes(PROOF_BYTES.nonce);
/** A device key, and its signature of a statement that both ends know. */
const proof = { key: bytes(PROOF_BYTES.key), signature: bytes(PROOF_BYTES.signature) };

/** What a client sends. */
export const PROOF_REQUESTS = {
  /** Asks `to` to show its device key, and to sign that it does so for this question. */
  ask_proof: { room, to: client, nonce },
  /** Shows the own device key to `to`, who asked for it. */
  proof: { room, to: client, ...proof },
} as const;

/** What the server sends. */
export const PROOF_EVENTS = {
  /** A member asks us to show our device key. */
  proof_asked: { room, client, nonce },
  /** A member shows the device key that we asked for; what it signed is for us to judge, not for the server. */
  proof: { room, client, ...proof },
} as const;
