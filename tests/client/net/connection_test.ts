import assert from "node:assert/strict";
import { connect, isListening } from "../../../client/net/connection.ts";
import { addressOf, type Connection, type TlsSettings } from "../../../client/net/endpoint.ts";
import { canonicalHost } from "../../../shared/text/host_and_port.ts";
import { connectionFault } from "../../../client/net/connection_faults.ts";
import { ConnectionError } from "../../../shared/base/errors.ts";
import { makeCertificate } from "../../helpers/system/certificates.ts";
import { within } from "../../helpers/peers/v1_peer.ts";
import { skipWithout } from "../../helpers/repo/skip.ts";

const never = new AbortController().signal;
const tlsTest = skipWithout("openssl");

interface Peer extends Disposable {
  readonly port: number;
  readonly accepted: Promise<Deno.Conn | undefined>;
}

function listen(tls?: { cert: string; key: string }): Peer {
  const where = { hostname: "127.0.0.1", port: 0 };
  const listener = tls ? Deno.listenTls({ ...where, ...tls }) : Deno.listen(where);
  const accepted = listener.accept().catch(() => undefined);
  return {
    port: (listener.addr as Deno.NetAddr).port,
    accepted: accepted.then((conn) => conn),
    [Symbol.dispose]() {
      listener.close();
      accepted.then((conn) => conn?.close()).catch(() => {});
    },
  };
}

/** Echoes one chunk; a peer that fails its TLS handshake is left alone. */
async function echo({ accepted }: Peer): Promise<void> {
  const conn = await accepted;
  const buffer = new Uint8Array(1_024);
  const count = await conn?.read(buffer).catch(() => null) ?? 0;
  if (count > 0) await conn?.write(buffer.subarray(0, count));
}

function dial(port: number, tls?: TlsSettings, host = "127.0.0.1"): Promise<Connection> {
  return connect({ host, port, tls }, never);
}

async function faultOf(attempt: Promise<Connection>): Promise<ConnectionError> {
  const error = await attempt.then((connection) => connection.close(), (error) => error);
  assert.ok(error instanceof ConnectionError, String(error));
  assert.ok(error.cause !== undefined);
  return error;
}

Deno.test("bytes go both ways, writes keep their order, and the end is an end", async () => {
  using peer = listen();
  const connection = await dial(peer.port);
  const conn = await peer.accepted as Deno.Conn;
  await Promise.all(
    ["a", "b", "c"].map((text) => connection.write(new TextEncoder().encode(text))),
  );
  const buffer = new Uint8Array(10);
  let seen = "";
  while (seen.length < 3) {
    seen += new TextDecoder().decode(buffer.subarray(0, await conn.read(buffer) ?? 0));
  }
  assert.equal(seen, "abc");
  await conn.write(Uint8Array.of(1, 2));
  assert.deepEqual([...await connection.read() ?? []], [1, 2]);
  await conn.closeWrite?.();
  assert.equal(await connection.read(), undefined);
  connection.close();
  connection.close();
  await assert.rejects(connection.write(Uint8Array.of(1)), ConnectionError);
});

Deno.test("close() ends a read that waits", async () => {
  using peer = listen();
  const connection = await dial(peer.port);
  const reading = connection.read();
  connection.close();
  assert.equal(await reading, undefined);
});

Deno.test("connect() says that nothing listens, and that there is no such host", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const refused = await faultOf(dial(port));
  assert.match(refused.message, /^Cannot connect to "127\.0\.0\.1:\d+": nothing listens there$/);
  assert.ok(refused.hint);
  assert.equal(await isListening("127.0.0.1", port), false);
  const unknown = await faultOf(dial(port, undefined, "no-such-host.invalid"));
  assert.match(unknown.message, /there is no host with this name/);
  const malformed = await faultOf(dial(port, undefined, "not a host"));
  assert.match(malformed.message, /this is not the name of a host/);
});

Deno.test("isListening() is true where something accepts", async () => {
  using peer = listen();
  assert.equal(await isListening("127.0.0.1", peer.port), true);
});

Deno.test("an abort ends connect() at once", async () => {
  const ending = new AbortController();
  ending.abort(new Error("over"));
  await assert.rejects(
    connect({ host: "127.0.0.1", port: 1, tls: undefined }, ending.signal),
    /over/,
  );
});

tlsTest("TLS verifies the server: a certificate that is given is trusted", async () => {
  await using made = await makeCertificate();
  using peer = listen(made);
  const echoing = echo(peer);
  const connection = await dial(peer.port, { caCerts: [made.cert], insecure: false }, "localhost");
  await connection.write(Uint8Array.of(7));
  assert.deepEqual([...await connection.read() ?? []], [7]);
  connection.close();
  await echoing;
});

tlsTest("TLS over one of several addresses verifies the name, and not the address", async () => {
  await using made = await makeCertificate(
    'openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=x" ' +
      '-addext "subjectAltName=DNS:relay.example" -addext "basicConstraints=critical,CA:FALSE" ' +
      "-keyout key.pem -out cert.pem",
  );
  const tls = { caCerts: [made.cert], insecure: false };
  const addresses = ["127.0.0.9", "127.0.0.1"];
  const dialName = (host: string, port: number) => connect({ host, port, tls, addresses }, never);
  {
    using peer = listen(made);
    const echoing = echo(peer);
    const connection = await dialName("relay.example", peer.port);
    await connection.write(Uint8Array.of(7));
    assert.deepEqual([...await connection.read() ?? []], [7]);
    connection.close();
    await echoing;
  }
  using peer = listen(made);
  const echoing = echo(peer);
  const wrong = await faultOf(dialName("other.example", peer.port));
  assert.match(wrong.message, /its certificate is for another name/);
  await echoing;
});

tlsTest("TLS refuses an unknown certificate, and one for another name", async () => {
  await using made = await makeCertificate();
  await using other = await makeCertificate(
    'openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=x" ' +
      '-addext "subjectAltName=DNS:elsewhere.example" -addext "basicConstraints=critical,CA:FALSE" ' +
      "-keyout key.pem -out cert.pem",
  );
  {
    using peer = listen(made);
    const echoing = echo(peer);
    const unknown = await faultOf(dial(peer.port, { caCerts: [], insecure: false }, "localhost"));
    assert.match(unknown.message, /its certificate is not known here/);
    assert.match(unknown.hint ?? "", /--ca-file/);
    await echoing;
  }
  {
    using peer = listen(other);
    const echoing = echo(peer);
    const tls = { caCerts: [other.cert], insecure: false };
    const wrong = await faultOf(dial(peer.port, tls, "localhost"));
    assert.match(wrong.message, /its certificate is for another name/);
    await echoing;
  }
});

tlsTest(
  "an unknown certificate is taken where the session proves the server, and said so",
  async () => {
    await using made = await makeCertificate();
    const listener = Deno.listenTls({ hostname: "127.0.0.1", port: 0, ...made });
    const echoing = (async () => {
      for await (const conn of listener) {
        const buffer = new Uint8Array(1_024);
        const count = await conn.read(buffer).catch(() => null) ?? 0;
        if (count > 0) await conn.write(buffer.subarray(0, count));
        conn.close();
      }
    })();
    const { port } = listener.addr;
    for (const [caCerts, isUnverified] of [[[], true], [[made.cert], false]] as const) {
      const tls = { caCerts, insecure: false };
      const endpoint = { host: "localhost", port, tls, isProvenInside: true };
      const connection = await connect(endpoint, never);
      assert.equal(connection.isUnverified ?? false, isUnverified);
      await connection.write(Uint8Array.of(7));
      assert.deepEqual([...await connection.read() ?? []], [7]);
      connection.close();
    }
    listener.close();
    await echoing;
  },
);

tlsTest("--tls-insecure takes any certificate, and nothing that is not TLS", async () => {
  await using made = await makeCertificate();
  const tls = { caCerts: [], insecure: true };
  {
    using peer = listen(made);
    const echoing = echo(peer);
    const connection = await dial(peer.port, tls);
    await connection.write(Uint8Array.of(9));
    assert.deepEqual([...await connection.read() ?? []], [9]);
    connection.close();
    await echoing;
  }
  {
    using peer = listen();
    const echoing = answerPlainly(peer);
    const plain = await faultOf(dial(peer.port, tls));
    assert.match(plain.message, /does not speak TLS on this port/);
    await echoing;
  }
});

/** Answers as a program that speaks no TLS. */
async function answerPlainly({ accepted }: Peer): Promise<void> {
  const conn = await accepted;
  await conn?.read(new Uint8Array(1_024));
  await conn?.write(new TextEncoder().encode("This is no TLS at all\r\n"));
}

Deno.test("TLS to a plain port is named", async () => {
  using peer = listen();
  const echoing = answerPlainly(peer);
  const plain = await faultOf(dial(peer.port, { caCerts: [], insecure: false }));
  assert.match(plain.message, /does not speak TLS on this port/);
  await echoing;
});

Deno.test("connectionFault() knows what systems and TLS libraries say", () => {
  const endpoint = { host: "h", port: 1, tls: undefined };
  const why = (text: string) => connectionFault(endpoint, new Error(text)).message;
  const cases: readonly (readonly [string, RegExp])[] = [
    ["invalid peer certificate: Expired", /expired/],
    ["invalid peer certificate: NotValidYet", /not valid yet/],
    ["invalid peer certificate: Other(OtherError(CaUsedAsEndEntity))", /that of an authority/],
    ["invalid peer certificate: BadEncoding", /cannot be read/],
    ["invalid peer certificate: BadSignature", /not known here/],
    ["No route to host (os error 113) EHOSTUNREACH", /does not reach it/],
    ["connection timed out ETIMEDOUT", /does not answer/],
    ["tls handshake eof UnexpectedEof", /closed the connection/],
    ["something new", /the system refused/],
  ];
  for (const [text, pattern] of cases) assert.match(why(text), pattern);
  assert.match(connectionFault(endpoint, "no error").message, /the system refused/);
});

Deno.test("addressOf() brackets IPv6 and quotes what is hostile", () => {
  assert.equal(addressOf({ host: "::1", port: 5 }), '"[::1]:5"');
  assert.equal(addressOf({ host: "[::1]", port: 5 }), '"[::1]:5"');
  assert.equal(addressOf({ host: "a\x1b[2J", port: 5 }), '"a␛[2J:5"');
});

/** A certificate for every spelling of this machine. */
const EVERY_NAME =
  "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out cert.pem -days 2 " +
  "-subj /CN=x -addext basicConstraints=critical,CA:FALSE -addext subjectAltName=";

tlsTest(
  "a name of any script, a short address, brackets and a zone work with TLS as they do without",
  async () => {
    const linkLocal = Deno.networkInterfaces().find(({ address }) => address.startsWith("fe80:"));
    const names = ["DNS:xn--bcher-kva.example", "IP:127.0.0.1", "IP:::1"];
    if (linkLocal !== undefined) names.push(`IP:${linkLocal.address}`);
    await using certificate = await makeCertificate(EVERY_NAME + names.join(","));
    const { cert, key } = certificate;
    const cases: (readonly [typed: string, address: string])[] = [
      ["bücher.example", "127.0.0.1"],
      ["127.1", "127.0.0.1"],
      ["[::1]", "::1"],
    ];
    if (linkLocal !== undefined) {
      const { address, name } = linkLocal;
      cases.push([`[${address}%${name}]`, `${address}%${name}`]);
    }
    for (const [typed, hostname] of cases) {
      for (
        const trust of [undefined, { caCerts: [cert], insecure: false }, {
          caCerts: [],
          insecure: true,
        }]
      ) {
        const where = { hostname, port: 0 };
        using listener = trust ? Deno.listenTls({ ...where, cert, key }) : Deno.listen(where);
        const accepted = listener.accept();
        const { port } = listener.addr as Deno.NetAddr;
        const host = canonicalHost(typed);
        const connecting = connect({ host, port, tls: trust, addresses: [hostname] }, never);
        const conn = await accepted;
        const [connection] = await Promise.all([connecting, conn.write(new Uint8Array([7]))]);
        assert.deepEqual([...await connection.read() ?? []], [7], `${typed} ${trust?.insecure}`);
        connection.close();
        conn.close();
      }
    }
  },
);

tlsTest("all bytes and the end of a TLS server that leaves at once are read", async () => {
  await using made = await makeCertificate();
  for (const insecure of [false, true]) {
    for (const count of [10, 300_000, 3_000_000]) {
      using peer = listen(made);
      const tls = { caCerts: [made.cert], insecure };
      const connection = await dial(peer.port, tls, "localhost");
      const leaving = (async () => {
        const conn = await peer.accepted as Deno.Conn;
        const bytes = new Uint8Array(count);
        for (let at = 0; at < count;) at += await conn.write(bytes.subarray(at));
        await conn.closeWrite();
      })();
      let got = 0;
      const reading = (async () => {
        for (let bytes = await connection.read(); bytes; bytes = await connection.read()) {
          got += bytes.length;
        }
      })();
      await within(reading, `the end after ${count} bytes, insecure: ${insecure}`);
      assert.equal(got, count);
      await leaving;
      connection.close();
    }
  }
});
