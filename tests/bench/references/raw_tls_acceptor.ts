// Reference: a server that does TLS handshakes, and nothing else. Arguments: files of certificate and key.

const [certFile = "", keyFile = ""] = Deno.args;
const listener = Deno.listenTls({
  hostname: "127.0.0.1",
  port: 0,
  cert: await Deno.readTextFile(certFile),
  key: await Deno.readTextFile(keyFile),
});
await Deno.stdout.write(
  new TextEncoder().encode(`raw TLS acceptor on 127.0.0.1:${listener.addr.port}\n`),
);

async function serve(conn: Deno.TlsConn): Promise<void> {
  try {
    await conn.handshake();
    while (await conn.read(new Uint8Array(16)) !== null);
  } catch {
    // The client went while it was served.
  } finally {
    conn.close();
  }
}

for await (const conn of listener) void serve(conn);
