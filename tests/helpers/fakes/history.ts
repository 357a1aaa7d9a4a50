import type { LegacyEnvelope } from "../../../client/history/legacy_history.ts";
import type { HistoryEntry } from "../../../client/history/history.ts";
import { openHistory, readHistory } from "../../../client/history/history.ts";
import type { StretchCost } from "../../../client/history/key_stretching.ts";

/** The least that Argon2id takes, so that a test may open a file hundreds of times. */
export const CHEAP: { unsafeTestOnlyCost: StretchCost } = {
  unsafeTestOnlyCost: { memoryKib: 8, passes: 1, lanes: 1 },
};

/** A chat entry with this text. */
export function chatEntry(text: string, sequence = 1): HistoryEntry {
  const time = "2026-11-23T18:00:00.123456Z";
  return { kind: "chat", time, room: "lobby", sender: "bob", text, sequence };
}

/** A folder that is gone with its scope; `path` is a file name in it that nothing has yet. */
export async function temporaryHistory(): Promise<
  { folder: string; path: string } & AsyncDisposable
> {
  const folder = await Deno.makeTempDir({ prefix: "cmdchat_history_" });
  return {
    folder,
    path: `${folder}/chat.history`,
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

/** Creates a history with these texts and closes it; gives the file's bytes after each of them, header first. */
export async function writeHistory(
  path: string,
  texts: readonly string[],
  passphrase = "open sesame",
): Promise<Uint8Array<ArrayBuffer>[]> {
  await using history = await openHistory(path, passphrase, CHEAP);
  const states = [await Deno.readFile(path)];
  for (const text of texts) {
    await history.append(chatEntry(text));
    states.push(await Deno.readFile(path));
  }
  return states;
}

/** All texts that can be read, and the error that ended the reading, if one did. */
export async function readTexts(
  path: string,
  passphrase = "open sesame",
): Promise<{ texts: string[]; error?: unknown; notices: string[] }> {
  const [texts, notices]: [string[], string[]] = [[], []];
  try {
    const onNotice = (text: string) => notices.push(text);
    for await (const entry of readHistory(path, passphrase, { onNotice })) texts.push(entry.text);
    return { texts, notices };
  } catch (error) {
    return { texts, error, notices };
  }
}

/** An old file's parts around these payloads, made with what the old format fixes. */
export async function sealLegacy(
  payloads: readonly unknown[],
  passphrase: string,
): Promise<LegacyEnvelope> {
  const encoder = new TextEncoder();
  const [salt, nonce] = [crypto.getRandomValues(new Uint8Array(16)), new Uint8Array(12)];
  const base = await crypto.subtle.importKey("raw", encoder.encode(passphrase), "PBKDF2", false, [
    "deriveKey",
  ]);
  const key = await crypto.subtle.deriveKey(
    { name: "PBKDF2", hash: "SHA-256", salt, iterations: 200_000 },
    base,
    { name: "AES-GCM", length: 256 },
    false,
    ["encrypt"],
  );
  const plaintext = encoder.encode(JSON.stringify(payloads));
  const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv: nonce }, key, plaintext);
  return { salt, nonce, ciphertext: new Uint8Array(sealed) };
}
