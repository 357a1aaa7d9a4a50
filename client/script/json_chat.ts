// `cmdchat-client --json`: a chat whose user is a program. JSON in, one request a line and in order; JSON out, what the
// json renderer prints and one result for each request.

import { CmdchatError, ConnectionError } from "../../shared/errors.ts";
import { connected, deliver, type InputOptions, pipeContext } from "../chat_input.ts";
import { Output } from "../output.ts";
import { jsonLine } from "../renderers/json.ts";
import type { Script } from "../run_chat.ts";
import { idOf, parseRequest } from "./json_requests.ts";
import { resultFields } from "./send.ts";

/** The script of `--json`; `receives` tells whether files may be taken. */
export function jsonScript(receives: boolean): Script {
  return { receives, output: (options) => new Output(options), read: readRequests };
}

/** Does each request and tells what became of it; resolves with the first fault. */
async function readRequests(options: InputOptions): Promise<CmdchatError | undefined> {
  const { chat, clock } = options;
  let first: CmdchatError | undefined;
  let isOver = false;
  const context = pipeContext(options, () => isOver = true);
  for await (const event of chat.console.events) {
    if (event.kind !== "line" || chat.ending.aborted) break;
    if (event.text.trim() === "") continue;
    const fault = await faultOf(async () => {
      const { line, room } = parseRequest(event.text);
      await deliver(line, context, { ...options, room });
    });
    first ??= fault;
    const [time, id] = [clock.utc(), idOf(event.text)];
    chat.console.print(jsonLine({ kind: "result", time, id, ...resultFields(fault) }));
    if (isOver || (fault instanceof ConnectionError && !chat.connected)) break;
  }
  // Even without a request: whether the server can be reached is worth an exit code.
  first ??= await faultOf(() => connected(chat, clock));
  if (chat.connected) await chat.transfers.settled();
  chat.end();
  return first;
}

async function faultOf(trial: () => Promise<unknown>): Promise<CmdchatError | undefined> {
  try {
    await trial();
    return undefined;
  } catch (error) {
    if (error instanceof CmdchatError) return error;
    throw error;
  }
}
