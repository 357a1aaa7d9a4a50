// The tokens that let clients in, from a variable or a file, with the names that the operator gives them. Only digests
// are kept.

import { createHash } from "node:crypto";
import { ConfigError } from "../../shared/base/errors.ts";
import { TOKEN_MAX_BYTES } from "../../shared/base/limits.ts";
import { readSecretLines, secretVariableLines } from "./secret_file.ts";

/** A token that lets clients in. */
export interface AccessToken {
  /** The name that the operator gave it; undefined where it has none. */
  readonly name: string | undefined;
  /** Its `tokenDigest`. */
  readonly digest: Uint8Array;
  /** Whether it looks as random as one that a program made: then nobody guesses it. */
  readonly isRandom: boolean;
  /** Where the source has it, such as `line 3`. */
  readonly place: string;
}

/** SHA-256 of a token, which is stored and compared in constant time. */
export function tokenDigest(token: string): Uint8Array {
  return createHash("sha256").update(token, "utf8").digest();
}

/** The tokens in CMDCHAT_TOKENS, separated by commas or ends of lines. Throws ConfigError. */
export function tokensFromVariable(text: string): AccessToken[] {
  const lines = secretVariableLines("CMDCHAT_TOKENS", text);
  const entries = lines.flatMap((line) => line.text.split(",")).map((part) => part.trim())
    .filter((part) => part !== "")
    .map((part, n) => ({ text: part, place: `token ${n + 1}` }));
  return tokensOf(entries, { source: "CMDCHAT_TOKENS", isSet: text.trim().length > 0 });
}

/** The tokens in a file, one a line; a line that begins with # is a comment. Throws ConfigError. */
export function tokensFromFile(path: string): AccessToken[] {
  const entries = readSecretLines("--tokens-file", path)
    .filter(({ text }) => !text.startsWith("#"))
    .map(({ line, text }) => ({ text, place: `line ${line}` }));
  return tokensOf(entries, { source: `--tokens-file ${JSON.stringify(path)}`, isSet: true });
}

/** Throws ConfigError where one token has two names: its sessions would belong to both. */
export function refuseTwoNames(tokens: readonly AccessToken[], source: string): void {
  const names = new Map<string, AccessToken>();
  for (const token of tokens) {
    const key = token.digest.join();
    const before = names.get(key) ?? token;
    names.set(key, before);
    if (before.name === token.name) continue;
    throw new ConfigError(
      `Cannot use ${source}: ${token.place} has the token of ${before.place} under another name`,
    );
  }
}

interface Entry {
  readonly text: string;
  readonly place: string;
}

function tokensOf(
  entries: readonly Entry[],
  { source, isSet }: { readonly source: string; readonly isSet: boolean },
): AccessToken[] {
  // A lone "," or an empty file is a mistake that must not open the server to everyone.
  if (isSet && entries.length === 0) {
    throw new ConfigError(`Cannot use ${source}: it is set but holds no token`);
  }
  const tokens = entries.map((entry) => tokenOf(entry, source));
  refuseTwoNames(tokens, source);
  return tokens;
}

// As many characters as 128 bits have in base64. At most one random token in ten has less than this, and is then
// treated like one that a person made up. Words followed by numbers, and one repeated key, have far less.
const RANDOM_MIN = { characters: 22, different: 8, changes: 10 } as const;
// The same four characters twice: of 32 random hexadecimal digits one case in 160.
const REPEATS = /(.{4}).*\1/i;
// Walks over the keyboard (1qaz2wsx3edc) and numbered words count up; so do four random digits, in one case of 500.
const COUNTED_STEPS = 3;

/** Whether a token is as long and as mixed as a random one, hex included. */
function isRandom(token: string): boolean {
  return changesOften(token) && !REPEATS.test(token) && !counts(token);
}

/** Whether nearly all digits go up one by one, or down. */
function counts(token: string): boolean {
  const digits = (token.match(/\d/g) ?? []).map(Number);
  const steps = digits.slice(1).map((digit, n) => (digit - (digits[n] ?? 0) + 10) % 10);
  return [1, 9].some((step) => {
    const counted = steps.filter((each) => each === step).length;
    return counted >= COUNTED_STEPS && counted > 3 / 4 * steps.length;
  });
}

/** Whether small letters, capitals and digits take turns in it. */
function changesOften(token: string): boolean {
  const { characters, different, changes } = RANDOM_MIN;
  const kinds = [...token].flatMap((one) => {
    const kind = KINDS.findIndex((kind) => kind.test(one));
    // Signs that stand between words make no random token of them.
    return kind < 0 ? [] : [kind];
  });
  const turns = kinds.filter((kind, n) => n > 0 && kind !== kinds[n - 1]).length;
  return [...token].length >= characters && new Set(token).size >= different &&
    turns >= Math.max(changes, kinds.length / 3);
}

const KINDS = [/[a-z]/, /[A-Z]/, /\d/];

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$/;

/** Reads `token`, `name:token`, or `:token`, in which every further colon belongs to the token. */
function tokenOf({ text, place }: Entry, source: string): AccessToken {
  const [before = "", ...after] = text.split(":").map((part) => part.trim());
  const isNamed = after.length === 1 && NAME.test(before);
  // The part before a colon may be half of a secret: it is shown as a name only where it cannot be anything else.
  if (after.length > 0 && before !== "" && !isNamed) {
    throw new ConfigError(
      `Cannot use ${source}: ${place} has a colon that may be a part of its token`,
      { hint: "write NAME:TOKEN, or :TOKEN for a token that has colons and no name" },
    );
  }
  const token = isNamed ? after.join() : text.replace(/^:\s*/, "");
  const { length } = new TextEncoder().encode(token);
  if (length > 0 && length <= TOKEN_MAX_BYTES) {
    const name = isNamed ? before : undefined;
    return { name, digest: tokenDigest(token), isRandom: isRandom(token), place };
  }
  const why = length === 0
    ? `${place} has no token after its colon`
    : `${place} has a token of more than the ${TOKEN_MAX_BYTES} bytes that are allowed`;
  throw new ConfigError(`Cannot use ${source}: ${why}`);
}
