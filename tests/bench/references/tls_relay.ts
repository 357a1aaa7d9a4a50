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
  if (receiver !== undefined) return void socket.pipe(receiver);
  // The receiver comes first; what it says comes back, so that it knows when it is the receiver.
  receiver = socket;
  socket.on("data", (bytes) => void socket.write(bytes));
});
server.listen(0, "127.0.0.1", () => {
  const { port } = server.address() as AddressInfo;
  Deno.stdout.writeSync(new TextEncoder().encode(`plain relay on 127.0.0.1:${port}\n`));
});
