// The cases of the Autobahn test suite (wstest, fuzzing client) that apply to a server of binary messages without
// extensions, by their numbers: what is sent, and the data and the close code that come of it. Cases 1.1, 6 (text), 9
// (limits and speed) and 12, 13 (compression) do not apply; text is refused as a kind (1.1.1).

import { OPCODES, webSocketFrame } from "../../../shared/websocket/frame.ts";
import { concatBytes } from "../../../shared/base/bytes.ts";

/** One case. */
export interface AutobahnCase {
  readonly number: string;
  readonly sent: Uint8Array;
  /** Data that the reader gives before the end. */
  readonly data: string;
  /** Payload of the pong that is due, as text. */
  readonly pong?: string;
  /** Code of the close frame that answers; undefined = the connection stays. */
  readonly code?: number | undefined;
  /** The peer closed by itself, and its code is echoed; null = without a code. */
  readonly echo?: number | null;
}

const KEY = Uint8Array.of(0x37, 0xfa, 0x21, 0x3d);
const encoder = new TextEncoder();
const bytesOf = (text: string) => encoder.encode(text);

/** A masked frame whose first byte is as given. */
function frame(first: number, payload: Uint8Array | string = ""): Uint8Array {
  const bytes = typeof payload === "string" ? bytesOf(payload) : payload;
  const whole = webSocketFrame(OPCODES.binary, bytes, KEY);
  whole[0] = first;
  return whole;
}

const FIN = 0x80;
const binary = (text: string, fin = true) => frame((fin ? FIN : 0) | 2, text);
const more = (text: string, fin: boolean) => frame(fin ? FIN : 0, text);
const ping = (text: string | Uint8Array = "") => frame(FIN | 9, text);
const pong = (text = "") => frame(FIN | 10, text);
const close = (...payload: number[]) => frame(FIN | 8, Uint8Array.from(payload));
const closeWith = (code: number, ...reason: number[]) => close(code >> 8, code & 0xff, ...reason);
const join = (...parts: Uint8Array[]) => concatBytes(parts);

/** Cases that differ in one number only. */
function each(
  number: string,
  values: readonly number[],
  make: (value: number) => Omit<AutobahnCase, "number">,
): AutobahnCase[] {
  return values.map((value) => ({ number: `${number} (${value})`, ...make(value) }));
}

/** Every case. */
export const AUTOBAHN_CASES: readonly AutobahnCase[] = [
  // 1 Framing
  { number: "1.1.1", sent: frame(FIN | 1, "text"), data: "", code: 1003 },
  { number: "1.2.1", sent: binary(""), data: "" },
  ...each("1.2.2-8", [1, 125, 126, 127, 128, 65_535, 65_536], (size) => ({
    sent: binary("*".repeat(size)),
    data: "*".repeat(size),
  })),
  // 2 Pings and pongs
  { number: "2.1", sent: ping(), data: "", pong: "" },
  { number: "2.2", sent: ping("Hello, world!"), data: "", pong: "Hello, world!" },
  { number: "2.4", sent: ping("*".repeat(125)), data: "", pong: "*".repeat(125) },
  { number: "2.5", sent: ping("*".repeat(126)), data: "", code: 1002 },
  { number: "2.7", sent: pong(), data: "" },
  { number: "2.8", sent: pong("unsolicited"), data: "" },
  { number: "2.9", sent: join(pong("unsolicited"), ping("payload")), data: "", pong: "payload" },
  {
    number: "2.10",
    sent: join(...Array.from({ length: 10 }, (_, n) => ping(`payload-${n}`))),
    data: "",
    pong: "payload-9",
  },
  // 3 Reserved bits
  ...each("3.1-3.6", [1, 2, 3, 4, 5, 6, 7], (bits) => ({
    sent: join(binary("before"), frame(FIN | bits << 4 | 2, "small message")),
    data: "before",
    code: 1002,
  })),
  { number: "3.6", sent: frame(FIN | 6 << 4 | 9, "ping"), data: "", code: 1002 },
  { number: "3.7", sent: frame(FIN | 7 << 4 | 8, ""), data: "", code: 1002 },
  // 4 Opcodes
  ...each(
    "4.1",
    [3, 4, 5, 6, 7],
    (opcode) => ({ sent: frame(FIN | opcode), data: "", code: 1002 }),
  ),
  ...each("4.2", [11, 12, 13, 14, 15], (opcode) => ({
    sent: join(binary("Hello"), frame(FIN | opcode, "x"), ping()),
    data: "Hello",
    code: 1002,
  })),
  // 5 Fragmentation
  {
    number: "5.1",
    sent: join(frame(9, "fragment1"), more("fragment2", true)),
    data: "",
    code: 1002,
  },
  {
    number: "5.2",
    sent: join(frame(10, "fragment1"), more("fragment2", true)),
    data: "",
    code: 1002,
  },
  {
    number: "5.3",
    sent: join(binary("fragment1", false), more("fragment2", true)),
    data: "fragment1fragment2",
  },
  {
    number: "5.6",
    sent: join(binary("fragment1", false), ping("ping payload"), more("fragment2", true)),
    data: "fragment1fragment2",
    pong: "ping payload",
  },
  {
    number: "5.9",
    sent: join(more("non-continuation payload", true), binary("x")),
    data: "",
    code: 1002,
  },
  {
    number: "5.12",
    sent: join(more("non-continuation payload", false), binary("x")),
    data: "",
    code: 1002,
  },
  {
    number: "5.15",
    sent: join(binary("fragment1", false), more("fragment2", true), more("fragment3", false)),
    data: "fragment1fragment2",
    code: 1002,
  },
  {
    number: "5.18",
    sent: join(binary("fragment1", false), binary("fragment2", true)),
    data: "fragment1",
    code: 1002,
  },
  {
    number: "5.19",
    sent: join(
      binary("fragment1", false),
      more("fragment2", false),
      ping("pongme 1!"),
      more("fragment3", false),
      more("fragment4", false),
      ping("pongme 2!"),
      more("fragment5", true),
    ),
    data: "fragment1fragment2fragment3fragment4fragment5",
    pong: "pongme 2!",
  },
  // 7 Close
  {
    number: "7.1.1",
    sent: join(binary("Hello World!"), closeWith(1000)),
    data: "Hello World!",
    echo: 1000,
  },
  { number: "7.1.2", sent: join(closeWith(1000), closeWith(1000)), data: "", echo: 1000 },
  { number: "7.1.3", sent: join(closeWith(1000), ping()), data: "", echo: 1000 },
  { number: "7.1.4", sent: join(closeWith(1000), binary("Hello World!")), data: "", echo: 1000 },
  {
    number: "7.1.5",
    sent: join(binary("fragment1", false), closeWith(1000), more("fragment2", true)),
    data: "fragment1",
    echo: 1000,
  },
  { number: "7.3.1", sent: close(), data: "", echo: null },
  { number: "7.3.2", sent: close(3), data: "", code: 1002 },
  { number: "7.3.3", sent: closeWith(1000), data: "", echo: 1000 },
  { number: "7.3.4", sent: closeWith(1000, ...bytesOf("Hello World!")), data: "", echo: 1000 },
  { number: "7.3.5", sent: closeWith(1000, ...bytesOf("*".repeat(123))), data: "", echo: 1000 },
  { number: "7.3.6", sent: closeWith(1000, ...bytesOf("*".repeat(124))), data: "", code: 1002 },
  { number: "7.5.1", sent: closeWith(1000, 0xce, 0xba, 0xed, 0xa0, 0x80), data: "", code: 1007 },
  ...each(
    "7.7",
    [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999],
    (code) => ({ sent: closeWith(code), data: "", echo: code }),
  ),
  ...each(
    "7.9",
    [0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999, 5000, 65_535],
    (code) => ({ sent: closeWith(code), data: "", code: 1002 }),
  ),
];
