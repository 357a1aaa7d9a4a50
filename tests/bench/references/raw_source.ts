// Reference: a TLS server that sends so many bytes for each byte that comes.
// Arguments: bytes, bytes a write, the files of certificate and key.

const [bytes, writeBytes] = Deno.args.map(Number) as [number, number];
const [certFile = "", keyFile = ""] = Deno.args.slice(2);
const listener = Deno.listenTls({
  hostname: "127.0.0.1",
  port: 0,
  cert: Deno.readTextFileSync(certFile),
  key: Deno.readTextFileSync(keyFile),
});
await Deno.stdout.write(
  new TextEncoder().encode(`raw source on 127.0.0.1:${listener.addr.port}\n`),
);
const chunk = new Uint8Array(writeBytes);
for await (const conn of listener) {
  while (await conn.read(new Uint8Array(1)) !== null) {
    for (let left = bytes; left > 0;) {
      left -= await conn.write(chunk.subarray(0, Math.min(left, writeBytes)));
    }
  }
}
