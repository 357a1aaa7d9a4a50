// What becomes of a chat where a name in a sealed room comes back with another key, or where the room lets nobody in: a
// person is told and decides; a program stops, since it would wait for nobody or speak to somebody else.

import { type CmdchatError, CryptoError } from "../../shared/base/errors.ts";
import { quote } from "../../shared/base/sanitize.ts";
import { listedName } from "../render/text.ts";
import { RefusalError } from "../session/refusal.ts";

/**
 * hold: a person is warned, and what was typed before that is given back; stop: a program's chat ends; pass: a program
 * goes on, since its user said so.
 */
export type AlarmManner = "hold" | "stop" | "pass";

/** The warning that `name` has another key, for a chat that goes on. */
export function alarmText(name: string, manner: AlarmManner): string {
  const who = listedName(name);
  const whatNext = manner === "pass"
    ? "What is sent goes on, as --allow-changed-keys says."
    : `What you type from now on is sent; to be sure who reads it: /verify ${who}`;
  return `${who} has come back with ANOTHER KEY: somebody else may be using the name. ${whatNext}`;
}

/** The end of a program's chat in the room `title` because `name` has another key. */
export function alarmFault(title: string, name: string): CmdchatError {
  const what = `${
    listedName(name)
  } came back with another key: somebody else may be using the name`;
  return new CryptoError(`Stopped in the sealed room ${quote(title)}: ${what}`, {
    hint: "nothing more was sent; --allow-changed-keys goes on all the same",
  });
}

/** The end of a program's chat that cannot come into the room `title`. */
export function shutFault(title: string, why: string): CmdchatError {
  return new RefusalError(`Cannot join the sealed room ${quote(title)}: ${why}`);
}
