import assert from "node:assert/strict";
import { Patience } from "../../../client/app/patience.ts";
import { isFrom } from "../../../client/headless/recv.ts";
import { runRecv, runRecvFile, runSend, runSendFile } from "../../../client/headless/run_script.ts";
import { resultFields } from "../../../client/headless/send.ts";
import { sendFileScript } from "../../../client/headless/send_file.ts";
import { recvFileScript } from "../../../client/headless/recv_file.ts";
import { transferError } from "../../../client/headless/transfer_error.ts";
import { SYSTEM_CLOCK } from "../../../client/base/clock.ts";
import { CmdchatError, LimitError, UsageError } from "../../../shared/base/errors.ts";

function input(...args: string[]) {
  return { args, env: () => undefined, readLine: () => "" };
}

Deno.test("words that a command does not take are refused before anything is connected", async () => {
  const wrong = [
    runSend(input("--lines", "hi")),
    runRecv(input("hi")),
    runRecv(input("--names", "--json")),
    runRecv(input("--count", "0")),
    runSendFile(input()),
    runRecvFile(input("x.txt")),
    runSend(input("--link", "cmdchat://h/r", "--host", "x", "hi")),
  ];
  for (const trial of wrong) await assert.rejects(trial, UsageError);
});

Deno.test("Patience is over after its seconds in all, and never where none were given", async () => {
  const never = new Promise<void>(() => {});
  assert.equal(await new Patience(0, SYSTEM_CLOCK).within(never), "late");
  assert.equal(await new Patience(undefined, SYSTEM_CLOCK).within(Promise.resolve(7)), 7);
  assert.equal(await new Patience(60, SYSTEM_CLOCK).within(Promise.resolve(7)), 7);
});

Deno.test("isFrom() takes everybody unless one is named, whose case does not count", () => {
  assert.ok(isFrom("bob", undefined));
  assert.ok(isFrom("Bob", "bOB"));
  assert.ok(!isFrom("bobby", "bob"));
});

Deno.test("a failed transfer's exit code says whose fault it is", () => {
  const codeOf = (code: Parameters<typeof transferError>[1]["code"]) =>
    transferError("Cannot", { code, reason: "so" }).exitCode;
  assert.deepEqual(
    [codeOf("too_large"), codeOf("not_saved"), codeOf("sender_left"), codeOf("bad_chunk")],
    [6, 3, 4, 5],
  );
});

Deno.test("a result says ok, or code, error and hint", () => {
  assert.deepEqual(resultFields(undefined), { ok: true });
  const error: CmdchatError = new LimitError("too long", { hint: "shorter" });
  assert.deepEqual(resultFields(error), { ok: false, code: 6, error: "too long", hint: "shorter" });
});

Deno.test("only recv-file may save files", () => {
  const options = { timeout: undefined, json: false };
  assert.equal(sendFileScript({ ...options, paths: ["x"] }).receives, false);
  assert.equal(recvFileScript({ ...options, count: 1, from: undefined }).receives, true);
});
