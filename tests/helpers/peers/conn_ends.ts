// What a proxy of the tests does with connections that end when they like.

/** Closes what may be closed already. */
export function closeQuietly(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}

/** Whether an error only says that the connection is no more. */
export function isGone(error: unknown): boolean {
  const { BadResource, ConnectionReset, BrokenPipe, Interrupted, NotConnected } = Deno.errors;
  const kinds = [BadResource, ConnectionReset, BrokenPipe, Interrupted, NotConnected];
  return kinds.some((kind) => error instanceof kind);
}
