// Reference: a server that sends back what comes, as it comes.

const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
await Deno.stdout.write(
  new TextEncoder().encode(`echo server on 127.0.0.1:${listener.addr.port}\n`),
);
for await (const conn of listener) {
  conn.setNoDelay(true);
  void (async () => {
    const buffer = new Uint8Array(4_096);
    for (let count = await conn.read(buffer); count !== null; count = await conn.read(buffer)) {
      await conn.write(buffer.subarray(0, count));
    }
  })();
}
