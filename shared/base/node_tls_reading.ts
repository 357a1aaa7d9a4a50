// How a socket of node:tls must be read on Deno (2.9.6): by itself it loses the end of the peer, and has no bound.

import { releaseBuffer } from "./bytes.ts";

/** What is known here of a socket of node:tls: it is a Readable. */
interface TlsReadable {
  _read(size: number): void;
  push(chunk: unknown, encoding?: BufferEncoding): boolean;
}

/** The same: its handle, which is not public, names the one that it reads. */
interface TlsOverHandle {
  readonly _handle?: { readonly _nativeTcpHandle?: unknown } | null;
}

/** The socket of node:net below it. Its handle is not public: a runtime may have none, and then nothing is bounded. */
interface TcpSocket {
  readonly _handle?: TcpHandle | null;
}

interface TcpHandle {
  readStart?(): unknown;
  readStop?(): unknown;
  onread?: (bytes: unknown, ...rest: readonly unknown[]) => unknown;
}

/**
 * Mends the reading of `socket`, which does TLS over `tcp`; called before anything is read from it.
 *
 * 1. It ends when its peer does. When reading starts again, Deno gives out the bytes that waited, then the end; where
 *    those bytes fill the buffer, and so stop reading at once, it drops the end for good. Hence a full buffer stops
 *    nothing within a start; the next bytes after it do.
 * 2. What is not read stays with the peer. Where TLS is not read, Deno goes on to read TCP, and keeps all of it in
 *    memory, however much that is. Hence TCP is not read either then.
 * 3. What TCP read does not wait for the collector. Deno reads 64 KiB into a buffer of its own, and TLS copies it: with
 *    what is left behind, reading takes twice the time, and 125 MB more.
 */
export function mendTlsReading(socket: TlsReadable, tcp: object): void {
  const { _read: read, push } = socket;
  releaseWhatTlsCopied(socket, tcp);
  const below = tcp as TcpSocket;
  let isStarting = false;
  let isFull = false;
  let isStopped = false;
  socket._read = (size) => {
    isStarting = true;
    isFull = false;
    try {
      read.call(socket, size);
    } finally {
      isStarting = false;
    }
    if (!isStopped || isFull) return;
    isStopped = false;
    below._handle?.readStart?.();
  };
  socket.push = (chunk, encoding) => {
    isFull = !push.call(socket, chunk, encoding);
    if (isStarting || !isFull) return true;
    if (chunk !== null && !isStopped) {
      isStopped = true;
      below._handle?.readStop?.();
    }
    return false;
  };
}

/** Only where TLS is known to take bytes out of this handle by copying them. */
function releaseWhatTlsCopied(socket: object, { _handle: handle }: TcpSocket): void {
  const onread = handle?.onread;
  const { _handle: reader } = socket as TlsOverHandle;
  if (!handle || !onread || reader?._nativeTcpHandle !== handle) return;
  handle.onread = function (bytes, ...rest) {
    onread.call(this, bytes, ...rest);
    if (bytes instanceof ArrayBuffer) releaseBuffer(bytes);
  };
}
