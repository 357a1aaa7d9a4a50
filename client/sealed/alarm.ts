// What happens when a name comes back with another key, or a sealed room lets nobody in: a person is told and decides;
// a program stops, since it would wait forever or speak to somebody else.

import { type CmdchatError, CryptoError } from "../../shared/base/errors.ts";
import { quote } from "../../shared/base/sanitize.ts";
import type { JoinedRoom } from "../rooms/joined_room.ts";
import type { AlarmCause } from "../sealed_engine/people.ts";
import { listedName } from "../render/text.ts";
import { RefusalError } from "../session/refusal.ts";

/**
 * hold: a person is warned, and what was typed before that is given back; stop: a program's chat ends; pass: a program
 * goes on, since its user said so.
 */
export type AlarmManner = "hold" | "stop" | "pass";

/** A name that is perhaps somebody else's. */
export interface KeyAlarm {
  readonly name: string;
  readonly cause: AlarmCause;
  /** When the user compared the key of who had this name: `2026-11-29`. */
  readonly date?: string | undefined;
}

/** The warning that a name has another key, for a chat that goes on. */
export function alarmText(alarm: KeyAlarm, manner: AlarmManner): string {
  const whatNext = manner === "pass"
    ? "Sending continues, because of --allow-changed-keys."
    : `What you type from now on is sent; to be sure who reads it: /verify ${
      listedName(alarm.name)
    }`;
  return `${whatOf(alarm)}: somebody else may be using the name. ${whatNext}`;
}

function whatOf({ name, cause, date = "before" }: KeyAlarm): string {
  const who = listedName(name);
  const when = date === "before" ? date : `on ${date}`;
  switch (cause) {
    case "session":
      return `${who} has come back with ANOTHER KEY`;
    case "other device":
      return `${who} shows ANOTHER DEVICE KEY than the one that you verified ${when}`;
    case "no device":
      return `${who} shows NO DEVICE KEY, and you verified one ${when}`;
  }
}

/** The end of a program's chat in that room because a name has another key. */
export function alarmFault({ title, isSealed }: JoinedRoom, alarm: KeyAlarm): CmdchatError {
  const where = isSealed ? `the sealed room ${quote(title)}` : quote(title);
  const what = alarm.cause === "session"
    ? `${listedName(alarm.name)} came back with another key`
    : whatOf(alarm);
  return new CryptoError(`Stopped in ${where}: ${what}: somebody else may be using the name`, {
    hint: "nothing more was sent; --allow-changed-keys continues all the same",
  });
}

/** The end of a program's chat that cannot come into the room `title`. */
export function shutFault(title: string, why: string): CmdchatError {
  return new RefusalError(`Cannot join the sealed room ${quote(title)}: ${why}`);
}
