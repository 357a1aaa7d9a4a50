import assert from "node:assert/strict";
import { cpuSeconds } from "./cpu_time.ts";
import { skipWithoutProc } from "../repo/skip.ts";

const BUSY = 'import { cpuUsage } from "node:process"; while (cpuUsage().user < 300_000);';

skipWithoutProc()(
  "the processor time of a process includes what its ended children had",
  async () => {
    const before = cpuSeconds("self");
    const { success } = await new Deno.Command(Deno.execPath(), { args: ["eval", BUSY] }).output();
    assert.ok(success);
    assert.ok(cpuSeconds("self") - before > 0.25, `${cpuSeconds("self") - before} s`);
  },
);

Deno.test("a process that is not there had no processor time", () => {
  assert.equal(cpuSeconds(2 ** 31 - 1), 0);
});
