// A way to a server on this machine that is as slow as a real one, for pictures of what takes its time.

/** Listens on a free port and passes everything on to `port`, at most `bytesPerSecond` in each direction. */
export function openSlowLink(
  port: number,
  bytesPerSecond: number,
): Disposable & { readonly port: number } {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const open = new Set<Deno.Conn>();
  void (async () => {
    for await (const near of listener) {
      const far = await Deno.connect({ hostname: "127.0.0.1", port });
      for (const conn of [near, far]) open.add(conn);
      void pump(near, far, bytesPerSecond).catch(() => {});
      void pump(far, near, bytesPerSecond).catch(() => {});
    }
  })();
  return {
    port: listener.addr.port,
    [Symbol.dispose]() {
      listener.close();
      for (const conn of open) {
        try {
          conn.close();
        } catch (error) {
          // One end of it was closed already.
          if (!(error instanceof Deno.errors.BadResource)) throw error;
        }
      }
    },
  };
}

async function pump(from: Deno.Conn, to: Deno.Conn, bytesPerSecond: number): Promise<void> {
  const writer = to.writable.getWriter();
  const buffer = new Uint8Array(32_768);
  for (let got = await from.read(buffer); got !== null; got = await from.read(buffer)) {
    await writer.write(buffer.slice(0, got));
    await new Promise((resolve) => setTimeout(resolve, 1_000 * (got as number) / bytesPerSecond));
  }
  await writer.close();
}
