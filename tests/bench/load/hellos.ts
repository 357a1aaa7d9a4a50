// Load: clients that do their part of a handshake up to the server's answer, and go; so many at a time, without end.
// Arguments: port, at a time, and the file of the certificate where it is TLS alone. Says "done N." after each hundred.

import { encodeFrame } from "../../../shared/channel/frame.ts";
import { connectTls, readFrame, writeAll } from "./load.ts";
import { makeLoadKeys } from "./v2_member.ts";

const [port = "", atOnce = "", certFile] = Deno.args;
const SAY_EVERY = 100;

const { firstMessage } = await makeLoadKeys();
const frame = encodeFrame(firstMessage);
const cert = certFile === undefined ? undefined : await Deno.readTextFile(certFile);
let done = 0;

async function shakeHands(): Promise<void> {
  if (cert !== undefined) {
    const conn = await connectTls(Number(port), cert);
    await conn.handshake();
    return conn.close();
  }
  const conn = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
  await writeAll(conn, frame);
  await readFrame(conn);
  conn.close();
}

async function goOn(): Promise<void> {
  for (;;) {
    await shakeHands();
    if (++done % SAY_EVERY === 0) {
      Deno.stdout.writeSync(new TextEncoder().encode(`done ${done}.\n`));
    }
  }
}

await Promise.all(Array.from({ length: Number(atOnce) }, goOn));
