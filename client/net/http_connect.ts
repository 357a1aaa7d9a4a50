// A connection through an HTTP proxy: CONNECT (RFC 9110 §9.3.6), with Basic where it wants to know who asks (RFC 7617).

import { encodeBase64 } from "../../shared/base/base64.ts";
import { CmdchatError } from "../../shared/base/errors.ts";
import {
  type HeadAndRest,
  HTTP_HEAD_MAX_BYTES,
  HttpHeadReader,
} from "../../shared/websocket/http_head.ts";
import { authFault, type ProxiedServer, proxyFault, type ProxyStream } from "./proxy_stream.ts";

const encoder = new TextEncoder();
// 401 is what tinyproxy answers to a wrong password.
const WANTS_AUTH = [401, 407];

const FORBIDDEN = 403;
const WEB_ONLY =
  "many proxies let connections to port 443 through only: --transport wss --port 443";

/** What other answers mean. */
const ANSWERS: Readonly<Record<number, string>> = {
  400: "it does not take this address",
  403: "it does not allow it",
  404: "it cannot reach the host, or there is no host with this name",
  405: "it does not allow such connections",
  500: "it cannot reach it",
  502: "it cannot reach it",
  503: "it cannot reach it",
  504: "the server does not answer it",
};

/** Asks for a connection to the server; the stream is one to it afterwards. Throws ConnectionError. */
export async function askConnect(stream: ProxyStream, server: ProxiedServer): Promise<void> {
  await stream.write(encoder.encode(connectRequest(server)));
  const { head, rest } = await readHead(stream, server);
  const status = Number(/^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(head.startLine)?.[1]);
  if (WANTS_AUTH.includes(status)) throw authFault(server);
  if (!(status >= 200 && status < 300)) {
    const why = ANSWERS[status] ?? "it is not an HTTP proxy that takes CONNECT";
    throw proxyFault(server, why, status === FORBIDDEN ? WEB_ONLY : undefined);
  }
  // A cmdchat server says nothing before the client: these are the proxy's, and would pass for the server's.
  if (rest.length > 0) throw proxyFault(server, "it sends extra bytes after its answer");
}

function connectRequest({ host, proxy: { auth }, endpoint: { port } }: ProxiedServer): string {
  const target = `${host.includes(":") ? `[${host}]` : host}:${port}`;
  const credentials = auth === undefined
    ? ""
    : `Proxy-Authorization: Basic ${
      encodeBase64(encoder.encode(`${auth.user}:${auth.password}`))
    }\r\n`;
  return `CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n${credentials}\r\n`;
}

async function readHead(stream: ProxyStream, server: ProxiedServer): Promise<HeadAndRest> {
  const reader = new HttpHeadReader();
  for (;;) {
    const chunk = await stream.read(HTTP_HEAD_MAX_BYTES);
    if (chunk === undefined) throw proxyFault(server, "it closed the connection");
    try {
      const read = reader.push(chunk);
      if (read !== undefined) return read;
    } catch (error) {
      if (!(error instanceof CmdchatError)) throw error;
      throw proxyFault(server, "it is not an HTTP proxy that takes CONNECT");
    }
  }
}
