// Reference: a plain relay over node:tls, as Node programs are written: what the first connection says goes to the
// second one, with backpressure and nothing else.
// Arguments: the files of certificate and key.

import { createServer, type TLSSocket } from "node:tls";
import type { AddressInfo } from "node:net";

const [certFile = "", keyFile = ""] = Deno.args;
let receiver: TLSSocket | undefined;
const server = createServer({
  cert: Deno.readTextFileSync(certFile),
  key: Deno.readTextFileSync(keyFile),
}, (socket) => {
  socket.on("error", () => socket.destroy());
  // The receiver comes first.
  if (receiver === undefined) receiver = socket.resume();
  else socket.pipe(receiver);
});
server.listen(0, "127.0.0.1", () => {
  const { port } = server.address() as AddressInfo;
  Deno.stdout.writeSync(new TextEncoder().encode(`plain relay on 127.0.0.1:${port}\n`));
});
