// How a socket of node:tls must be read on Deno (2.9.6) so that the end of the peer is seen.

/** What is known here of a socket of node:tls: it is a Readable. */
interface TlsReadable {
  _read(size: number): void;
  push(chunk: unknown, encoding?: BufferEncoding): boolean;
}

/**
 * Makes sure that `socket` ends when its peer does; called before anything is read from it. When reading starts again,
 * Deno gives out the bytes that waited, then the end; where those bytes fill the buffer, and so stop reading at once,
 * it drops the end for good. Hence a full buffer stops nothing within a start; the next bytes after it do.
 */
export function keepTlsEnd(socket: TlsReadable): void {
  const { _read: read, push } = socket;
  let isStarting = false;
  socket._read = (size) => {
    isStarting = true;
    try {
      read.call(socket, size);
    } finally {
      isStarting = false;
    }
  };
  socket.push = (chunk, encoding) => push.call(socket, chunk, encoding) || isStarting;
}
