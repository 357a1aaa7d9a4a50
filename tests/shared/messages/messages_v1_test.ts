import assert from "node:assert/strict";
import fc from "fast-check";
import * as z from "zod/mini";
import { ProtocolError } from "../../../shared/base/errors.ts";
import {
  checkClientMessage,
  checkMessage,
  checkServerMessage,
  CLIENT_MESSAGES,
  type ClientMessage,
  type ClientMessageOf,
  HANDSHAKE,
  HANDSHAKE_ANSWER,
  SERVER_MESSAGES,
  type ServerMessage,
  type ServerMessageOf,
  SYSTEM_EVENTS,
} from "../../../shared/messages/messages_v1.ts";

type Fields = Readonly<Record<string, unknown>>;

const file = { file_id: "f1", filename: "a.txt", filesize: 5, total_chunks: 1 };
const chunk = { file_id: "f1", chunk_index: 0, chunk_data: "aGVsbG8=", is_final: true };
const stamp = { client_id: 2, room: "lobby", timestamp: "2026-11-23T18:00:00.123456Z" };

const CLIENT_SAMPLES: { readonly [K in ClientMessage["type"]]: Required<ClientMessageOf<K>> } = {
  chat: { type: "chat", message: "héllo 你好 👋" },
  system: { type: "system", message: "alice connected." },
  pong: { type: "pong" },
  rename: { type: "rename", name: "alice2" },
  switch_room: { type: "switch_room", room: "dev" },
  file_init: { type: "file_init", ...file },
  file_chunk: { type: "file_chunk", ...chunk },
};

const SERVER_SAMPLES: { readonly [K in ServerMessage["type"]]: Required<ServerMessageOf<K>> } = {
  chat: { type: "chat", sender: "bob", message: "hi", ...stamp, sequence: 1 },
  system: {
    type: "system",
    message: "bob is now known as rob.",
    ...stamp,
    event: "renamed",
    name: "rob",
    previous: "bob",
    names: ["rob", "amy"],
  },
  ping: { type: "ping", timestamp: stamp.timestamp },
  file_init: { type: "file_init", ...file, sender: "bob", ...stamp },
  file_chunk: { type: "file_chunk", ...chunk, sender: "bob", ...stamp },
};

const HANDSHAKE_SAMPLE: Fields = {
  type: "handshake",
  public_key: "-----BEGIN PUBLIC KEY-----",
  name: "alice",
  room: "lobby",
  token: "t",
  renderer: "rich",
  buffer_size: 200,
};
const OK_SAMPLE: Fields = {
  type: "handshake_ok",
  client_id: 1,
  room: "lobby",
  heartbeat_interval: 15,
  nonce_size: 12,
  encrypted_key: "AAAA",
  name: "alice-2",
  limits: { message: 4_096, file: 10_485_760, rate: { messages: 12, seconds: 5 } },
};

interface Case {
  readonly what: string;
  readonly sample: Fields;
  readonly check: (value: unknown) => unknown;
  /** Fields that may be left out, and those of them that may be null. */
  readonly optional?: readonly string[];
  readonly nullable?: readonly string[];
  /** Fields that take other types too. */
  readonly lenient?: Readonly<Record<string, readonly unknown[]>>;
}

const CASES: readonly Case[] = [
  ...Object.values(CLIENT_SAMPLES).map((sample) => ({
    what: `a client's ${sample.type}`,
    sample,
    check: checkClientMessage,
  })),
  ...Object.values(SERVER_SAMPLES).map((sample) => ({
    what: `a server's ${sample.type}`,
    sample,
    check: checkServerMessage,
    ...(sample.type === "system"
      ? {
        optional: ["client_id", "room", "timestamp", "event", "name", "previous", "names"],
        nullable: ["client_id", "room", "timestamp"],
        lenient: { event: [null, true, 5, 1.5, "later event", [], {}] },
      }
      : {}),
    ...(sample.type === "ping"
      ? { optional: ["timestamp"], nullable: ["timestamp"], lenient: { timestamp: [5, 1.5] } }
      : {}),
  })),
  {
    what: "a handshake",
    sample: HANDSHAKE_SAMPLE,
    check: (value) => checkMessage(HANDSHAKE, value, "handshake"),
    optional: ["name", "room", "token", "renderer", "buffer_size"],
    nullable: ["name", "room", "token", "renderer", "buffer_size"],
    lenient: { buffer_size: [1.5] },
  },
  {
    what: "a handshake_ok",
    sample: OK_SAMPLE,
    check: (value) => checkMessage(HANDSHAKE_ANSWER, value, "answer"),
    optional: ["name", "limits"],
    lenient: { heartbeat_interval: [1.5] },
  },
  {
    what: "a handshake_error",
    sample: { type: "handshake_error", reason: "unauthorized" },
    check: (value) => checkMessage(HANDSHAKE_ANSWER, value, "answer"),
  },
];

const STRANGE = [null, true, 5, -1, 1.5, "SECRETS", [], ["SECRETS"], {}, { a: 1 }];

function kindOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}

function without(sample: Fields, field: string): Fields {
  return Object.fromEntries(Object.entries(sample).filter(([name]) => name !== field));
}

for (const { what, sample, check, optional = [], nullable = [], lenient = {} } of CASES) {
  const refused = (value: unknown, why: string) =>
    assert.throws(() => check(value), (error) => {
      assert.ok(error instanceof ProtocolError, `${why}: ${error}`);
      assert.ok(!`${error.message}${error.cause}`.includes("SECRETS"), error.message);
      return true;
    }, why);

  Deno.test(`${what} is read as it was written`, () => {
    assert.deepEqual(check(JSON.parse(JSON.stringify(sample))), sample);
  });

  Deno.test(`${what} with a field too many is read without it`, () => {
    assert.deepEqual(check({ ...sample, later: { a: [1] } }), sample);
  });

  Deno.test(`${what} with a field missing is refused, unless that field may be missing`, () => {
    for (const field of Object.keys(sample)) {
      const message = without(sample, field);
      if (optional.includes(field)) assert.deepEqual(check(message), message);
      else refused(message, `without ${field}`);
    }
  });

  Deno.test(`${what} with a field of another type is refused`, () => {
    for (const [field, good] of Object.entries(sample)) {
      for (const strange of STRANGE) {
        const isOther = kindOf(strange) !== kindOf(good) ||
          (typeof strange === "number" && (strange < 0 || !Number.isInteger(strange)));
        if (!isOther || lenient[field]?.some((taken) => kindOf(taken) === kindOf(strange))) {
          continue;
        }
        const message = { ...sample, [field]: strange };
        if (strange === null && nullable.includes(field)) check(message);
        else refused(message, `${field} = ${JSON.stringify(strange)}`);
      }
    }
  });
}

Deno.test("the table has a sample for every row, and no row goes by another name than its type", () => {
  for (
    const [rows, samples] of [[CLIENT_MESSAGES, CLIENT_SAMPLES], [SERVER_MESSAGES, SERVER_SAMPLES]]
  ) {
    assert.deepEqual(Object.keys(rows as object), Object.keys(samples as object));
    for (
      const [name, schema] of Object.entries(rows as Readonly<Record<string, z.ZodMiniObject>>)
    ) {
      assert.deepEqual((schema.shape["type"] as z.ZodMiniLiteral).def.values[0], name);
    }
  }
});

Deno.test("messages of the other direction, of no known type and of none are refused", () => {
  const strange = ["switch", "", "toString", "__proto__", "constructor", 5, null, undefined, {}];
  for (const check of [checkClientMessage, checkServerMessage]) {
    for (const type of strange) assert.throws(() => check({ type }), ProtocolError);
    for (const value of [null, 5, "chat", [], undefined]) {
      assert.throws(() => check(value), ProtocolError);
    }
  }
  for (const type of ["ping"]) assert.throws(() => checkClientMessage({ type }), ProtocolError);
  for (const type of ["pong", "rename", "switch_room"]) {
    assert.throws(() => checkServerMessage({ type }), ProtocolError);
  }
  // What a client sent, sent back to it, is no server's message: it has no sender.
  for (const type of ["chat", "file_init", "file_chunk"] as const) {
    assert.throws(() => checkServerMessage(CLIENT_SAMPLES[type]), ProtocolError);
  }
});

Deno.test("a system line may be about something that a later server knows", () => {
  const line = { ...SERVER_SAMPLES.system, event: "levitated" };
  assert.deepEqual(checkServerMessage(line), { ...line, event: "notice" });
  for (const event of SYSTEM_EVENTS) {
    assert.deepEqual(checkServerMessage({ ...line, event }), { ...line, event });
  }
});

Deno.test("absurd lengths and numbers are refused", () => {
  const absurd: ReadonlyArray<readonly [Fields, (value: unknown) => unknown]> = [
    [{ ...CLIENT_SAMPLES.chat, message: "x".repeat(65_537) }, checkClientMessage],
    [{ ...CLIENT_SAMPLES.file_init, filesize: 2 ** 53 }, checkClientMessage],
    [{ ...CLIENT_SAMPLES.file_init, filesize: 16 * 2 ** 30 + 1 }, checkClientMessage],
    [{ ...CLIENT_SAMPLES.file_init, file_id: "" }, checkClientMessage],
    [{ ...CLIENT_SAMPLES.file_init, file_id: "x".repeat(129) }, checkClientMessage],
    [{ ...CLIENT_SAMPLES.file_init, filename: "x".repeat(1_025) }, checkClientMessage],
    [{ ...CLIENT_SAMPLES.file_chunk, chunk_index: -1 }, checkClientMessage],
    [{ ...CLIENT_SAMPLES.file_chunk, chunk_data: "A".repeat(43_696) }, checkClientMessage],
    [{ ...SERVER_SAMPLES.chat, sender: "x".repeat(1_025) }, checkServerMessage],
    [{ ...SERVER_SAMPLES.chat, timestamp: "x".repeat(65) }, checkServerMessage],
    [{ ...OK_SAMPLE, heartbeat_interval: 0 }, (value) => checkMessage(HANDSHAKE_ANSWER, value, "")],
    [{ ...OK_SAMPLE, nonce_size: 16 }, (value) => checkMessage(HANDSHAKE_ANSWER, value, "")],
  ];
  for (const [message, check] of absurd) assert.throws(() => check(message), ProtocolError);
  // A whole chunk of 32,768 bytes fits exactly.
  checkClientMessage({ ...CLIENT_SAMPLES.file_chunk, chunk_data: "A".repeat(43_692) });
});

Deno.test("the texts and numbers of a handshake may be as large as this, and no larger", () => {
  const refusal = { type: "handshake_error", reason: "" };
  const texts = [
    [HANDSHAKE, HANDSHAKE_SAMPLE, { public_key: 8_192, renderer: 64 }],
    [HANDSHAKE, HANDSHAKE_SAMPLE, { name: 1_024, room: 1_024, token: 1_024 }],
    [HANDSHAKE_ANSWER, OK_SAMPLE, { encrypted_key: 4_096, room: 1_024, name: 1_024 }],
    [HANDSHAKE_ANSWER, refusal, { reason: 1_024 }],
  ] as const;
  const holds = (schema: z.ZodMiniType, sample: Fields, field: string, values: unknown[]) => {
    const [most, more] = values;
    checkMessage(schema, { ...sample, [field]: most }, field);
    assert.throws(
      () => checkMessage(schema, { ...sample, [field]: more }, field),
      ProtocolError,
      field,
    );
  };
  for (const [schema, sample, sizes] of texts) {
    for (const [field, size] of Object.entries(sizes)) {
      holds(schema, sample, field, ["x".repeat(size), "x".repeat(size + 1)]);
    }
  }
  holds(HANDSHAKE_ANSWER, OK_SAMPLE, "heartbeat_interval", [3_600, 3_601]);
});

Deno.test("no JSON value makes a check do anything but read or refuse", () => {
  const samples = [...Object.values(CLIENT_SAMPLES), ...Object.values(SERVER_SAMPLES)];
  const near = fc.tuple(fc.constantFrom<Fields>(...samples), fc.string(), fc.jsonValue(), fc.nat())
    .map(([sample, extra, value, at]) => {
      const names = [...Object.keys(sample), extra];
      return { ...sample, [names[at % names.length] as string]: value };
    });
  fc.assert(
    fc.property(fc.oneof(fc.jsonValue(), near), (value) => {
      for (const check of [checkClientMessage, checkServerMessage]) {
        try {
          const message = check(JSON.parse(JSON.stringify(value)));
          assert.deepEqual(check(JSON.parse(JSON.stringify(message))), message);
        } catch (error) {
          assert.ok(error instanceof ProtocolError, String(error));
        }
      }
    }),
    { numRuns: 5_000 },
  );
});
