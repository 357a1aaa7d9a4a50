// Reference: a server that writes ready frames to all of its connections, unbatched, as fast as Deno can.
// Arguments: connections, rounds, bytes a write, and for TLS the files of certificate and key. When all have
// connected, each byte from the first starts so many rounds.

const [connections, rounds, size] = Deno.args.map(Number) as [number, number, number];
const [certFile, keyFile] = Deno.args.slice(3);
const where = { hostname: "127.0.0.1", port: 0 };
const listener = certFile === undefined || keyFile === undefined
  ? Deno.listen(where)
  : Deno.listenTls({
    ...where,
    cert: Deno.readTextFileSync(certFile),
    key: Deno.readTextFileSync(keyFile),
  });
await Deno.stdout.write(
  new TextEncoder().encode(`raw writer on 127.0.0.1:${(listener.addr as Deno.NetAddr).port}\n`),
);
const frame = new Uint8Array(size);
new DataView(frame.buffer).setUint32(0, size - 4);
const conns: (Deno.TcpConn | Deno.TlsConn)[] = [];
while (conns.length < connections) {
  const conn = await listener.accept();
  if ("handshake" in conn) await conn.handshake();
  else conn.setNoDelay(true);
  conns.push(conn);
}
const first = conns[0] as Deno.Conn;
while (await first.read(new Uint8Array(1)) !== null) {
  for (let i = 0; i < rounds; i++) {
    await Promise.all(conns.map((conn) => conn.write(frame)));
  }
}
