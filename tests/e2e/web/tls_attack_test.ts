// What TLS allows and nobody needs: whoever sends it without end is let go at once, and the server keeps none of it.

import assert from "node:assert/strict";
import { concatBytes } from "../../../shared/base/bytes.ts";
import { keyUpdate, RawTls, TLS_TYPES } from "../../helpers/web/raw_tls.ts";
import { within } from "../../helpers/peers/v1_peer.ts";
import { V2Peer } from "../../helpers/peers/v2_peer.ts";
import { startServer } from "../../helpers/programs/server_process.ts";
import { skipWithoutProc } from "../../helpers/repo/skip.ts";
import { makeCertificate } from "../../helpers/system/certificates.ts";

const FEW_BYTES = 32 * 1_048_576;
const AT_ONCE = 200;
const BATCHES = 200;
const NO_BYTES = new Uint8Array();
const NO_RECORD = Uint8Array.of(TLS_TYPES.data, 3, 3, 0x40, 0, ...new Uint8Array(16_384));
const UNFINISHED = Uint8Array.of(24, 0xff, 0xff, 0xff, ...new Uint8Array(16_000));

/** One record each; a hundred of them are a flood. */
const FLOODS: Readonly<Record<string, (tls: RawTls) => Uint8Array>> = {
  "key updates that want an answer": (tls) => tls.record(TLS_TYPES.handshake, keyUpdate(true)),
  "key updates": (tls) => tls.record(TLS_TYPES.handshake, keyUpdate(false)),
  "records without data": (tls) => tls.record(TLS_TYPES.data, NO_BYTES),
  "warnings": (tls) => tls.record(TLS_TYPES.alert, Uint8Array.of(1, 90)),
  "records for old middleboxes": () => Uint8Array.of(TLS_TYPES.changeCipherSpec, 3, 3, 0, 1, 1),
  "handshakes without a byte": (tls) => tls.record(TLS_TYPES.handshake, NO_BYTES),
  "parts of a handshake of 16 MiB": (tls) => tls.record(TLS_TYPES.handshake, UNFINISHED),
  "a second hello": (tls) => tls.record(TLS_TYPES.handshake, Uint8Array.of(1, 0, 0, 0)),
  "records that do not open": () => NO_RECORD,
};

/** Sends such records until the other side has closed. Throws where it does not. */
async function flood(tls: RawTls, record: (tls: RawTls) => Uint8Array): Promise<void> {
  for (let n = 0; n < BATCHES; n++) {
    try {
      await tls.writeRaw(concatBytes(Array.from({ length: AT_ONCE }, () => record(tls))));
    } catch (error) {
      const { BrokenPipe, ConnectionReset } = Deno.errors;
      assert.ok(error instanceof BrokenPipe || error instanceof ConnectionReset, String(error));
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`${BATCHES * AT_ONCE} records were taken`);
}

const testTls = skipWithoutProc("openssl");

testTls(
  "whoever breaks or floods TLS is let go at once, in a session or before one, and fills no memory",
  async (t) => {
    await using made = await makeCertificate();
    const args = ["--certfile", made.certFile, "--keyfile", made.keyFile];
    await using server = await startServer({ args: [...args, "--max-per-address", "off"] });
    const { port } = server;
    await using ann = await V2Peer.join({ port, tlsCa: made.cert, hello: { name: "ann" } });
    const before = server.memory();
    for (const [what, record] of Object.entries(FLOODS)) {
      await t.step(what, async () => {
        const stranger = await RawTls.over(await Deno.connect({ port }));
        await flood(stranger, record);
        stranger.close();

        let tls: RawTls | undefined;
        await using eve = await V2Peer.join({
          port,
          hello: { name: "eve" },
          over: async (conn) => (tls = await RawTls.over(conn)) as unknown as Deno.Conn,
        });
        assert.ok(tls !== undefined);
        await flood(tls, record);
        await within(eve.ended, "the end of eve");

        const grown = server.memory() - before;
        assert.ok(grown < FEW_BYTES, `${grown} bytes more`);
        await ann.say(what);
        await ann.until("chat", ({ text }) => text === what);
      });
    }
  },
);
