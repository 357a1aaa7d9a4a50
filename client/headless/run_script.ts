// The headless commands: from the command line to the exit code.

import { UsageError } from "../../shared/base/errors.ts";
import { quote } from "../../shared/base/sanitize.ts";
import { asClientConfig, type LinkInput, readConnection } from "../config/read_options.ts";
import { runChat } from "../app/run_chat.ts";
import {
  RECV_FILE_OPTIONS,
  RECV_OPTIONS,
  SEND_FILE_OPTIONS,
  SEND_OPTIONS,
} from "../config/headless_options.ts";

const SEND_TIMEOUT_S = 60;

/** `send [TEXT…]`. Throws UsageError and what ended the chat. */
export async function runSend(input: LinkInput): Promise<number> {
  const { values, positionals } = readConnection(SEND_OPTIONS, input);
  const { lines, json } = values;
  const fromInput = positionals.length === 0 ||
    (positionals.length === 1 && positionals[0] === "-");
  if (lines && !fromInput) {
    throw new UsageError("Cannot use --lines with a TEXT: the lines come from standard input");
  }
  const timeout = seconds(values.timeout ?? (lines ? 0 : SEND_TIMEOUT_S));
  const { sendScript } = await import("./send.ts");
  const text = fromInput ? undefined : positionals.join(" ");
  return await runChat(asClientConfig(values), sendScript({ text, lines, json, timeout }));
}

/** `recv`. */
export async function runRecv(input: LinkInput): Promise<number> {
  const { values, positionals } = readConnection(RECV_OPTIONS, input);
  refuseWords("recv", positionals);
  const { count, from, json, names, backlog } = values;
  if (json && names) {
    throw new UsageError("Cannot use --names with --json: JSON names every sender");
  }
  const { recvScript } = await import("./recv.ts");
  const script = recvScript({
    count,
    from,
    json,
    names,
    backlog,
    timeout: seconds(values.timeout),
  });
  return await runChat(asClientConfig(values), script);
}

/** The path that means standard input. */
const STDIN = "-";

/** `send-file PATH…`. */
export async function runSendFile(input: LinkInput): Promise<number> {
  const { values, positionals: paths } = readConnection(SEND_FILE_OPTIONS, input);
  if (paths.length === 0) throw new UsageError("Cannot send a file: the form is send-file PATH…");
  const { sendFileScript } = await import("./send_file.ts");
  const { checkSourceFile } = await import("../uploads/disk_file.ts");
  const { json, timeout, as, to } = values;
  const fromInput = paths.filter((path) => path === STDIN).length;
  if (fromInput > 1) throw new UsageError("Cannot send standard input (-) more than once");
  if (as !== undefined && fromInput === 0 && /^\.*$|[/\\]/.test(as)) {
    throw new UsageError(
      `Cannot use --as ${quote(as)}: it is the name of one folder, without slashes`,
    );
  }
  // Somebody may come in an hour; a wrong path is known now.
  for (const path of paths) if (path !== STDIN) await checkSourceFile(path);
  const script = sendFileScript({ paths, as, to, json, timeout: seconds(timeout) });
  return await runChat(asClientConfig(values), script);
}

/** `recv-file`. */
export async function runRecvFile(input: LinkInput): Promise<number> {
  const { values, positionals } = readConnection(RECV_FILE_OPTIONS, input);
  refuseWords("recv-file", positionals);
  const { recvFileScript } = await import("./recv_file.ts");
  const { count = 1, from, json, timeout, "download-dir": folder = "." } = values;
  const script = recvFileScript({ count, from, json, timeout: seconds(timeout) });
  return await runChat({ ...asClientConfig(values), "download-dir": folder }, script);
}

function refuseWords(command: string, [word]: readonly string[]): void {
  if (word === undefined) return;
  throw new UsageError(`Cannot use ${quote(word)}: ${command} takes options only`);
}

function seconds(typed: number | undefined): number | undefined {
  return typed === 0 ? undefined : typed;
}
