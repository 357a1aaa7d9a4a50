// Reference: a server that writes ready frames to all of its connections, unbatched, as fast as Deno can.
// Arguments: connections, writes, bytes a write. Starts when all have connected and one byte has come.

const [connections, writes, size] = Deno.args.map(Number) as [number, number, number];
const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
await Deno.stdout.write(
  new TextEncoder().encode(`raw writer on 127.0.0.1:${(listener.addr as Deno.NetAddr).port}\n`),
);
const frame = new Uint8Array(size);
new DataView(frame.buffer).setUint32(0, size - 4);
const conns: Deno.TcpConn[] = [];
while (conns.length < connections) {
  const conn = await listener.accept();
  conn.setNoDelay(true);
  conns.push(conn);
}
await (conns[0] as Deno.TcpConn).read(new Uint8Array(1));
for (let i = 0; i < writes; i++) {
  await Promise.all(conns.map((conn) => conn.write(frame)));
}
await (conns[0] as Deno.TcpConn).read(new Uint8Array(1));
