import assert from "node:assert/strict";
import type { Access } from "../../../server/relay/access.ts";
import { makeRelay } from "../../helpers/peers/relay.ts";

const RANDOM = "Vx2hQ0m9uT7kZb4Lr8sNpA";
const tokens = { CMDCHAT_TOKENS: `made up,${RANDOM}` };

const neighbor = (n: number) => `2001:db8:7:${n.toString(16)}::1`;

function judge(access: Access, token: string, address: string): string {
  return access.judgeToken(token, { address, returning: undefined });
}

function guess(access: Access, count: number, address: (n: number) => string): string[] {
  return Array.from({ length: count }, (_, n) => judge(access, `wrong ${n}`, address(n)));
}

Deno.test("wrong tokens from all over an IPv6 /48 keep out no neighbor with a random token, or one that was there", async () => {
  const { access } = await makeRelay([], tokens);
  assert.equal(judge(access, "made up", neighbor(0xaaaa)), "right");
  const answers = guess(access, 1_000, neighbor);
  assert.equal(answers.filter((one) => one === "wrong").length, 80);
  assert.equal(judge(access, RANDOM, neighbor(0xbbbb)), "right");
  assert.equal(judge(access, "made up", neighbor(0xaaaa)), "right");
  assert.equal(judge(access, "made up", "2001:db8:8::1"), "right", "another network");
});

Deno.test("a token that somebody made up gets the answer of wrong ones there, so that nobody guesses it faster", async () => {
  const { access } = await makeRelay([], tokens);
  guess(access, 1_000, neighbor);
  assert.equal(judge(access, "made up", neighbor(0xbbbb)), "later");
  assert.equal(judge(access, "wrong", neighbor(0xbbbb)), "later");
  assert.equal(judge(access, `${RANDOM}x`, neighbor(0xbbbb)), "later");
});

Deno.test("nor does somebody guess faster where a right token came from", async () => {
  const { access } = await makeRelay([], tokens);
  const here = () => neighbor(0xaaaa);
  judge(access, RANDOM, here());
  guess(access, 1_000, neighbor);
  assert.equal(guess(access, 100, here).filter((one) => one === "wrong").length, 10);
  assert.equal(judge(access, "made up", here()), "later");
  assert.equal(judge(access, RANDOM, here()), "right");
});

Deno.test("nor does whoever has a right token, and comes by it from all over an IPv6 /48", async () => {
  const { access } = await makeRelay([], tokens);
  const answers = Array.from({ length: 100 }, (_, n) => {
    judge(access, RANDOM, neighbor(n));
    return guess(access, 10, () => neighbor(n));
  });
  assert.equal(answers.flat().filter((one) => one === "wrong").length, 80);
});

Deno.test("guesses of somebody with the same IPv4 address keep out nobody with a random token", async () => {
  const { access } = await makeRelay([], tokens);
  assert.equal(guess(access, 11, () => "192.0.2.1").at(-1), "later");
  assert.equal(judge(access, RANDOM, "192.0.2.1"), "right");
  assert.equal(judge(access, "made up", "192.0.2.1"), "later");
});
