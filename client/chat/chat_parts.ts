// Parts of a chat that only need to know where to look and whom to tell.

import type { Fingerprint } from "../../shared/crypto/fingerprint.ts";
import type { Clock } from "../base/clock.ts";
import type { Output } from "../output/output.ts";
import type { JoinedRooms } from "../rooms/joined_rooms.ts";
import { Typing } from "../rooms/typing.ts";
import type { Backoff } from "../session/reconnect.ts";
import type { ChatOptions } from "./chat_options.ts";
import { ConnectionState } from "./connection_state.ts";

/** The chat as its parts see it. */
export interface WholeChat {
  readonly output: Output;
  readonly rooms: JoinedRooms;
  readonly backoff: Backoff;
  readonly name: string;
  readonly fingerprint: Fingerprint | undefined;
  refreshStatus(): void;
}

/** How the connection of a chat is. */
export function connectionOf(chat: WholeChat, options: ChatOptions): ConnectionState {
  return new ConnectionState({
    quiet: options.quiet,
    tell: (news) =>
      chat.output.connection({ ...news, name: chat.name, room: chat.rooms.current?.title ?? "" }),
    warn: (text, hint) => chat.output.note("danger", text, hint),
    tellsSilence: (options.tellsSilence ?? false) && !options.quiet,
    note: (level, text) => chat.output.note(level, text),
    server: () => chat.fingerprint,
    about: options,
    wake: () => chat.backoff.wake(),
    onChange: () => chat.refreshStatus(),
  });
}

/** Who is writing; `tell`: we are. */
export function typingOf(chat: WholeChat, clock: Clock, tell: () => void): Typing {
  return new Typing({
    clock,
    isWanted: () => chat.output.settings.get("typing") === "on",
    tell,
    onChange: () => chat.refreshStatus(),
  });
}
