// Vectors of the handshake (docs/PROTOCOL.md §5): two sessions that work, and messages with one fault each.

import { Buffer } from "node:buffer";
import { makeBadAnswers, makeDivergingAnswers } from "./v2_bad_answers.ts";
import { makeBadFirstMessages } from "./v2_bad_first_messages.ts";
import { hex, type Inputs, type Json, makeMaterial, type Material, utf8 } from "./v2_material.ts";
import { frame, RecordWriter, trafficSecrets, x25519 } from "./v2_reference.ts";

function makeSession(m: Material, name: string, aead: string) {
  const { first, signed, clientShare, serverShare, sharedSecret, rsaSecret } = m;
  const answer = utf8(signed({ aead }));
  const secrets = {
    mlkem768: sharedSecret,
    x25519: x25519(clientShare, serverShare.publicKey),
    rsa: rsaSecret,
  };
  const keys = trafficSecrets([frame(first), frame(answer)], secrets);
  const [client, server] = [
    new RecordWriter(aead, keys.client),
    new RecordWriter(aead, keys.server),
  ];
  return {
    name,
    aead,
    first_frame: hex(frame(first)),
    answer_frame: hex(frame(answer)),
    mlkem768_secret: hex(sharedSecret),
    x25519_secret: hex(secrets.x25519),
    rsa_secret: hex(rsaSecret),
    transcript_hash: hex(keys.transcript),
    master_secret: hex(keys.master),
    client_traffic_secret: hex(keys.client),
    server_traffic_secret: hex(keys.server),
    challenge: hex(keys.challenge),
    client_key: hex(client.keys().key),
    client_iv: hex(client.keys().iv),
    server_key: hex(server.keys().key),
    server_iv: hex(server.keys().iv),
    first_client_record: hex(client.seal(Buffer.from("hello from the client"))),
    first_server_record: hex(server.seal(Buffer.from("hello from the server"))),
  };
}

/** All vectors of the handshake, as a JSON value. */
export function makeHandshakeVectors(inputs: Inputs): Json {
  const m = makeMaterial(inputs);
  return {
    about:
      "Session v2 handshakes (docs/PROTOCOL.md §5), made by scripts/generate/make_v2_vectors.ts. Byte strings are hex.",
    client: {
      rsa_pkcs8_pem: inputs.client_rsa_pkcs8_pem,
      x25519_private: hex(m.clientX25519),
      mlkem768_seed: hex(m.seed),
    },
    server: { identity_pem: m.identity.pem, fingerprint: m.fingerprint },
    first_message: m.first.toString(),
    sessions: [
      makeSession(m, "AES-256-GCM", "aes-256-gcm"),
      makeSession(m, "ChaCha20-Poly1305", "chacha20-poly1305"),
    ],
    bad_first_messages: makeBadFirstMessages(m),
    bad_answers: makeBadAnswers(m),
    diverging_answers: makeDivergingAnswers(m),
  };
}
