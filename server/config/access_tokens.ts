// The tokens that let clients in, from a variable or a file. Only digests are kept.

import { createHash } from "node:crypto";
import { ConfigError } from "../../shared/base/errors.ts";
import { TOKEN_MAX_BYTES } from "../../shared/base/limits.ts";
import { readSecretLines, secretVariableLines } from "./secret_file.ts";

/** SHA-256 of a token: what is kept, and compared in constant time. */
export function tokenDigest(token: string): Uint8Array {
  return createHash("sha256").update(token, "utf8").digest();
}

/** Digests of the tokens in CMDCHAT_TOKENS, separated by commas or ends of lines. Throws ConfigError. */
export function tokensFromVariable(text: string): Uint8Array[] {
  const parts = secretVariableLines("CMDCHAT_TOKENS", text).flatMap((line) => line.split(","));
  const tokens = parts.map((part) => part.trim()).filter((part) => part !== "");
  return digests(tokens, { source: "CMDCHAT_TOKENS", isSet: text.trim().length > 0 });
}

/** Digests of the tokens in a file, one a line; a line that begins with # is a comment. Throws ConfigError. */
export function tokensFromFile(path: string): Uint8Array[] {
  const lines = readSecretLines("--tokens-file", path).filter((line) => !line.startsWith("#"));
  return digests(lines, { source: `--tokens-file ${JSON.stringify(path)}`, isSet: true });
}

function digests(
  tokens: readonly string[],
  { source, isSet }: { readonly source: string; readonly isSet: boolean },
): Uint8Array[] {
  for (const token of tokens) {
    if (new TextEncoder().encode(token).length > TOKEN_MAX_BYTES) {
      throw new ConfigError(
        `Cannot use ${source}: a token has more than the ${TOKEN_MAX_BYTES} bytes that are allowed`,
      );
    }
  }
  // "," alone, or an emptied file, is a mistake that must not open the server to everyone.
  if (isSet && tokens.length === 0) {
    throw new ConfigError(`Cannot use ${source}: it is set but holds no token`);
  }
  return tokens.map(tokenDigest);
}
