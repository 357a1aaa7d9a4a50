// One word over TLS with a server's certificate as the only trusted one; also a program, for older runtimes.

/** PEM texts of a server, and the name or address under which a client reaches it. */
export interface TlsTalk {
  readonly cert: string;
  readonly key: string;
  readonly hostname: string;
}

/** Sends `hello` to an echo on this machine and gives what comes back. Rejects as `Deno.connectTls` does. */
export async function talkOverTls({ cert, key, hostname }: TlsTalk): Promise<string> {
  using listener = Deno.listenTls({ hostname: "127.0.0.1", port: 0, cert, key });
  const served = echoOnce(listener);
  try {
    using connection = await Deno.connectTls({
      hostname,
      port: listener.addr.port,
      caCerts: [cert],
    });
    await connection.write(new TextEncoder().encode("hello"));
    const buffer = new Uint8Array(16);
    const count = await connection.read(buffer);
    return new TextDecoder().decode(buffer.subarray(0, count ?? 0));
  } finally {
    await served;
  }
}

async function echoOnce(listener: Deno.TlsListener): Promise<void> {
  using connection = await listener.accept();
  const buffer = new Uint8Array(16);
  const count = await connection.read(buffer).catch(() => null);
  if (count !== null) await connection.write(buffer.subarray(0, count));
}

if (import.meta.main) {
  const [certFile = "", keyFile = "", hostname = ""] = Deno.args;
  const [cert, key] = await Promise.all([certFile, keyFile].map((path) => Deno.readTextFile(path)));
  const answer = await talkOverTls({ cert: cert ?? "", key: key ?? "", hostname });
  await Deno.stdout.write(new TextEncoder().encode(answer));
}
