// The first bytes of other protocols, and the line that answers them.

const decoder = new TextDecoder("latin1");

/** The answer to a peer whose first bytes are `header`; undefined where they belong to no known protocol. */
export function foreignProtocolAnswer(header: Uint8Array, tls: boolean): string | undefined {
  const text = decoder.decode(header);
  const how = `cmdchat-client --host HOST --port PORT${tls ? " --tls" : ""}`;
  if (/^(GET |POST|HEAD|PUT |OPTI|CONN|PRI )/.test(text)) {
    return "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n" +
      `This is a cmdchat server, not a web server. Join with: ${how}\r\n`;
  }
  if (text === "SSH-") return `This is a cmdchat server, not an SSH server. Join with: ${how}\r\n`;
  if (header[0] === 0x16 && header[1] === 0x03) {
    return `This cmdchat server speaks no TLS on this port. Join with: ${how}\r\n`;
  }
  return undefined;
}

/** Whether a peer whose first bytes are `header` is a proxy that names its client, and that is not trusted to. */
export function isUnnamedProxy(header: Uint8Array): boolean {
  return /^(PROX|\r\n\r\n)$/.test(decoder.decode(header));
}
