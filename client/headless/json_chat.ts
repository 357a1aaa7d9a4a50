// `cmdchat-client --json`: a chat whose user is a program. Input: one JSON request per line, done in order. Output: the
// lines of the JSON renderer, and one result for each request.

import type { CmdchatError } from "../../shared/base/errors.ts";
import { deliver, doLines } from "../app/pipe_input.ts";
import type { InputOptions, Script } from "../app/script.ts";
import { Output } from "../output/output.ts";
import { jsonLine } from "../render/json.ts";
import { idOf, parseRequest } from "./json_requests.ts";
import { resultFields } from "./send.ts";

/** Creates the script of `--json`; `receives`: whether files may be accepted. */
export function jsonScript(receives: boolean): Script {
  return { receives, output: (options) => new Output(options), read: readRequests };
}

/** Does each request and prints its result; resolves with the first fault. */
function readRequests(options: InputOptions): Promise<CmdchatError | undefined> {
  const { chat, clock } = options;
  return doLines(options, {
    act(text, context) {
      const { line, room } = parseRequest(text);
      return deliver(line, context, { clock, room });
    },
    tell(fault, text) {
      if (text === undefined) return;
      const [time, id] = [clock.utc(), idOf(text)];
      chat.console.print(jsonLine({ kind: "result", time, id, ...resultFields(fault) }));
    },
  });
}
