// The client's own code against a real server, in the test's process: what a user with many windows would see.

import { localDisk } from "../../../client/transfers/local_disk.ts";
import { Chat } from "../../../client/chat/chat.ts";
import type { SessionDestination } from "../../../client/session/session.ts";
import { SYSTEM_CLOCK } from "../../../client/base/clock.ts";
import { connect } from "../../../client/net/connection.ts";
import type { HistoryEntry } from "../../../client/history/history_entry.ts";
import { Output } from "../../../client/output/output.ts";
import { createMinimalRenderer } from "../../../client/render/minimal.ts";
import { SessionV2 } from "../../../client/session/session_v2.ts";
import { Style } from "../../../client/terminal/style.ts";
import { Transfers } from "../../../client/transfers/transfers.ts";
import type { Fingerprint } from "../../../shared/crypto/fingerprint.ts";
import { FakeConsole } from "./chat_fakes.ts";
import { testRsa } from "../peers/v2_peer.ts";

/** A chat that is open, and what it showed. */
export interface RecordedChat extends AsyncDisposable {
  readonly chat: Chat;
  /** Every line that went to its screen and its history. */
  readonly shown: readonly HistoryEntry[];
  /** Resolves with why it ended for good; undefined where that was asked for. */
  readonly ended: Promise<unknown>;
}

/** Where it goes, and as whom. */
export interface RecordedChatOptions {
  readonly port: number;
  readonly name: string;
  /** Who the server must be, at every connection. */
  readonly expected?: Fingerprint;
}

/** Opens a chat and resolves when it is connected. */
export async function openRecordedChat(
  { port, name, expected }: RecordedChatOptions,
): Promise<RecordedChat> {
  const shown: HistoryEntry[] = [];
  const console = new FakeConsole();
  const rsa = await testRsa();
  // As the client's own dialer, but with one RSA pair for all: fifty fresh ones would measure nothing but themselves.
  const dial = async (place: SessionDestination, signal: AbortSignal) => {
    const connection = await connect({ host: "127.0.0.1", port, tls: undefined }, signal);
    try {
      return await SessionV2.open(connection, {
        keyPair: rsa,
        tls: false,
        expected,
        clock: SYSTEM_CLOCK,
        introduce: () => Promise.resolve({ ...place, token: undefined }),
      });
    } catch (error) {
      connection.close();
      throw error;
    }
  };
  const output = new Output({
    renderer: createMinimalRenderer(),
    print: () => {},
    diagnose: () => {},
    history: { append: (entry) => Promise.resolve(void shown.push(entry)) },
    bufferSize: 10,
    clock: SYSTEM_CLOCK,
  });
  const chat = new Chat({
    place: { name, room: "lobby" },
    address: { host: "127.0.0.1", port, tls: false, token: undefined },
    dial,
    console,
    output,
    style: new Style("none"),
    clock: SYSTEM_CLOCK,
    quiet: true,
    transfers: (parts) =>
      new Transfers({ ...parts, disk: localDisk({ folder: undefined }), answerMs: 60_000 }),
  });
  const ended = chat.run().then(() => undefined, (error) => error);
  await chat.whenConnected();
  return {
    chat,
    shown,
    ended,
    async [Symbol.asyncDispose]() {
      chat.end();
      await ended;
    },
  };
}
