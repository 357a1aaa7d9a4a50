// Reference: a server that accepts and reads into a buffer of 1 KiB for each connection, and nothing else.

const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
await Deno.stdout.write(
  new TextEncoder().encode(`raw acceptor on 127.0.0.1:${listener.addr.port}\n`),
);
const open: Deno.TcpConn[] = [];
for await (const conn of listener) {
  open.push(conn);
  void (async () => {
    while (await conn.read(new Uint8Array(1_024)) !== null);
  })();
}
