// Errors for the reasons that a server gives for a refusal.

import { CmdchatError, ConnectionError, CryptoError } from "../../shared/base/errors.ts";
import { quote } from "../../shared/base/sanitize.ts";
import type { SessionRequest } from "./session.ts";

/** The server refused what was asked for: a name, a room, a message; or all receivers of a file did. Exit code 9. */
export class RefusalError extends CmdchatError {
  readonly exitCode = 9;
}

/** The server has no capacity now; it may have later. Exit code 4. */
export class BusyError extends ConnectionError {}

/** The server is about to end, and another may take its place. Exit code 4. */
export class StoppingError extends BusyError {}

/** The server does not accept our token, or needs one. Exit code 7. */
export class UnauthorizedError extends CryptoError {}

/** The error for a server's reason. */
export function refusalError(reason: string, request: SessionRequest): CmdchatError {
  const { name, token, rooms: [[room] = [""]] } = request;
  switch (reason) {
    case "unauthorized":
      return token === undefined
        ? new UnauthorizedError("Cannot join the server: it needs a token", {
          hint: "--token-file FILE or CMDCHAT_TOKEN",
        })
        : new UnauthorizedError("Cannot join the server: it does not accept this token", {
          hint: "ask its admin, or the person who invited you, for one that is valid now",
        });
    case "too_many_attempts":
      return new BusyError(
        "Cannot join the server: too many attempts came from this address",
        { hint: "try again in a minute" },
      );
    case "invalid_name":
      return new RefusalError(`Cannot use the name ${quote(name)}: the server does not accept it`);
    case "invalid_room":
      return new RefusalError(
        `Cannot join the room ${quote(room)}: the server does not accept its name`,
      );
    case "too_many_rooms":
      return new BusyError(
        `Cannot join the room ${quote(room)}: the server can take no more rooms`,
      );
    case "removed":
      return new RefusalError("Cannot come back to the server: its admin removed you");
    case "server_full":
      return new BusyError("Cannot join the server: it is full");
    case "unavailable":
      return new BusyError("Cannot join the server: it cannot reach the other servers now", {
        hint: "it lets you in once it can; nothing is wrong with your settings",
      });
    case "excluded":
      return new RefusalError(
        `Cannot join the room ${quote(room)}: it is locked, or you are banned from it`,
      );
    case "server_stopping":
      return new StoppingError("Cannot join the server: it is stopping");
    default:
      return new RefusalError(`Cannot join the server: it answered ${quote(reason)}`);
  }
}
