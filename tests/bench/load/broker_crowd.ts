// Load: members of a reference that read what comes. A process of its own, so that what they read delays nobody who is
// measured. Arguments: program, port, index of the first member, members, file of the certificate where it is TLS.
// Says "joined N." when all are in.

import { BROKERS } from "../references/brokers.ts";

const READ_BYTES = 16_384;
const [program = "", port = "", first = "", count = "", certFile] = Deno.args;

async function readOn(conn: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(READ_BYTES);
  while (await conn.read(buffer) !== null);
}

const kind = BROKERS.find((broker) => broker.program === program);
if (kind === undefined) throw new Error(`${program} is no reference`);
const cert = certFile === undefined ? undefined : await Deno.readTextFile(certFile);
const conns: Deno.Conn[] = [];
for (let i = 0; i < Number(count); i++) {
  const conn = await kind.join({ port: Number(port), cert }, Number(first) + i);
  conns.push(conn);
  void readOn(conn);
}
Deno.stdout.writeSync(new TextEncoder().encode(`joined ${conns.length}.\n`));
