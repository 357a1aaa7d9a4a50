// Sealed rooms of 2, 10, 50 and 200 members: what a join and a message cost with our suite over node:crypto, beside
// the library's own over WebCrypto in the same run, by the same calls.

import { createGroup } from "ts-mls/clientState.js";
import {
  createGroupInfoWithExternalPubAndRatchetTree,
  joinGroupExternal,
} from "ts-mls/createCommit.js";
import { createApplicationMessage } from "ts-mls/createMessage.js";
import { type CiphersuiteImpl, getCiphersuiteFromName } from "ts-mls/crypto/ciphersuite.js";
import { defaultCryptoProvider } from "ts-mls/crypto/implementation/default/provider.js";
import type { ClientState } from "ts-mls/clientState.js";
import { acceptAll } from "ts-mls/incomingMessageAction.js";
import { generateKeyPackageWithKey } from "ts-mls/keyPackage.js";
import { defaultLifetime } from "ts-mls/lifetime.js";
import { processPrivateMessage, processPublicMessage } from "ts-mls/processMessages.js";
import { emptyPskIndex } from "ts-mls/pskIndex.js";
import { makeCredential, readCredential } from "../../../client/mls/credential.ts";
import { generateSignatureKeys, MLS_CRYPTO } from "../../../client/mls/cipher_suite.ts";
import { deriveRoomKeys } from "../../../client/mls/room_keys.ts";
import type { Size } from "../load/load.ts";
import { median, type Row } from "../row.ts";

const SIZES = { full: [2, 10, 50, 200], tiny: [2, 5] } as const;
const MESSAGES = { full: 200, tiny: 5 } as const;
const MESSAGE_BYTES = 100;
/** Joins around each size whose median is taken. */
const JOINS = 3;

const keys = deriveRoomKeys(new Uint8Array(32).fill(1));

const config = {
  keyRetentionConfig: {
    retainKeysForGenerations: 0,
    retainKeysForEpochs: 2,
    maximumForwardRatchetSteps: 1_000,
  },
  lifetimeConfig: { maximumTotalLifetime: 0n, validateLifetimeOnReceive: false },
  keyPackageEqualityConfig: {
    compareKeyPackages: () => false,
    compareKeyPackageToLeafNode: () => false,
  },
  paddingConfig: { kind: "padUntilLength", padUntilLength: 0 },
  authService: {
    validateCredential: async (
      { identity }: { identity?: Uint8Array },
      key: Uint8Array,
    ): Promise<boolean> =>
      await (identity !== undefined && readCredential(keys, identity, key) !== undefined),
  },
} as ClientState["clientConfig"];

/** Milliseconds, the median of a few. */
interface Times {
  /** The joiner's part: check the tree, make the commit. */
  readonly join: number;
  /** What every other member pays. */
  readonly process: number;
  readonly seal: number;
  readonly open: number;
}

let number = 0;

async function keyPackage(cs: CiphersuiteImpl) {
  const pair = generateSignatureKeys();
  const handle = (++number).toString(16).padStart(32, "0");
  const identity = makeCredential(keys, { name: `m${number}`, handle }, pair.publicKey);
  return await generateKeyPackageWithKey(
    { credentialType: "basic", identity },
    {
      versions: ["mls10"],
      ciphersuites: [MLS_CRYPTO.name],
      extensions: [],
      proposals: [],
      credentials: ["basic"],
    },
    defaultLifetime,
    [],
    pair,
    cs,
  );
}

async function timed<T>(work: () => Promise<T>): Promise<{ ms: number; result: T }> {
  const start = performance.now();
  const result = await work();
  return { ms: performance.now() - start, result };
}

/** One member joins; its state and that of the member who gave the GroupInfo afterwards. */
async function joinOnce(cs: CiphersuiteImpl, state: ClientState) {
  const info = await createGroupInfoWithExternalPubAndRatchetTree(state, [], cs);
  const { publicPackage, privatePackage } = await keyPackage(cs);
  const join = await timed(() =>
    joinGroupExternal(info, publicPackage, privatePackage, false, cs, undefined, config)
  );
  const { publicMessage } = join.result;
  const process = await timed(() =>
    processPublicMessage(state, publicMessage, emptyPskIndex, cs, acceptAll)
  );
  return {
    join: join.ms,
    process: process.ms,
    joined: join.result.newState,
    state: process.result.newState,
  };
}

async function talk(
  cs: CiphersuiteImpl,
  { from, to, messages }: {
    readonly from: ClientState;
    readonly to: ClientState;
    readonly messages: number;
  },
) {
  const text = new Uint8Array(MESSAGE_BYTES);
  const mark = new Uint8Array(16);
  const times = { seal: [] as number[], open: [] as number[] };
  let [sender, receiver] = [from, to];
  for (let i = 0; i < messages; i++) {
    const seal = await timed(() => createApplicationMessage(sender, text, cs, mark));
    const open = await timed(() =>
      processPrivateMessage(receiver, seal.result.privateMessage, emptyPskIndex, cs)
    );
    [sender, receiver] = [seal.result.newState, open.result.newState];
    times.seal.push(seal.ms);
    times.open.push(open.ms);
  }
  return { seal: median(times.seal), open: median(times.open) };
}

async function measure(cs: CiphersuiteImpl, size: Size): Promise<ReadonlyMap<number, Times>> {
  const sizes: readonly number[] = SIZES[size];
  const { publicPackage, privatePackage } = await keyPackage(cs);
  let state = await createGroup(keys.rid, publicPackage, privatePackage, [], cs, config);
  const results = new Map<number, Times>();
  const last: { join: number[]; process: number[] } = { join: [], process: [] };
  for (let members = 2; members <= Math.max(...sizes); members++) {
    const once = await joinOnce(cs, state);
    ({ state } = once);
    last.join = [...last.join, once.join].slice(-JOINS);
    last.process = [...last.process, once.process].slice(-JOINS);
    if (!sizes.includes(members)) continue;
    results.set(members, {
      join: median(last.join),
      process: median(last.process),
      ...await talk(cs, { from: once.joined, to: state, messages: MESSAGES[size] }),
    });
  }
  return results;
}

interface Measured {
  readonly own: ReadonlyMap<number, Times>;
  readonly library: ReadonlyMap<number, Times>;
}

async function measureBoth(size: Size): Promise<Measured> {
  const suite = getCiphersuiteFromName(MLS_CRYPTO.name);
  const own = await measure(MLS_CRYPTO as unknown as CiphersuiteImpl, size);
  const library = await measure(await defaultCryptoProvider.getCiphersuiteImpl(suite), size);
  return { own, library };
}

// Both rows are of one run, of which each may be asked for several times.
let last: { readonly row: string; readonly measured: Promise<Measured> } | undefined;

function measureFor(row: string, size: Size): Promise<Measured> {
  if (last === undefined || last.row === row) last = { row, measured: measureBoth(size) };
  return last.measured;
}

function line(members: number, what: string, own: number, library: number): string {
  const times = (library / own).toFixed(1);
  return `${members} members, ${what}: ${own.toFixed(2)} ms, ${
    library.toFixed(2)
  } ms with the library's, ${times} times`;
}

async function rowOf(
  row: string,
  { size, whole, parts, limit }: {
    readonly size: Size;
    readonly whole: (times: Times) => number;
    readonly parts: Readonly<Record<string, (times: Times) => number>>;
    readonly limit: number;
  },
): Promise<Row> {
  const { own, library } = await measureFor(row, size);
  const at = (of: ReadonlyMap<number, Times>, members: number) => of.get(members) as Times;
  const largest = Math.max(...SIZES[size]);
  return {
    row,
    value: whole(at(own, largest)),
    unit: "ms",
    reference: "the library's own suite over WebCrypto",
    referenceValue: whole(at(library, largest)),
    goal: { of: "ratio", limit, better: "less" },
    notes: SIZES[size].flatMap((members) =>
      Object.entries(parts).map(([what, part]) =>
        line(members, what, part(at(own, members)), part(at(library, members)))
      )
    ),
  };
}

/** One joins 200: its own part and what another member pays. */
export function sealedJoin(size: Size): Promise<Row> {
  return rowOf("sealed-join", {
    size,
    whole: ({ join, process }) => join + process,
    parts: { "join": ({ join }) => join, "process it": ({ process }) => process },
    limit: 0.75,
  });
}

/** A message of 100 bytes among 200: sealed by one, opened by another. */
export function sealedMessage(size: Size): Promise<Row> {
  return rowOf("sealed-message", {
    size,
    whole: ({ seal, open }) => seal + open,
    parts: { "seal": ({ seal }) => seal, "open": ({ open }) => open },
    limit: 0.75,
  });
}
