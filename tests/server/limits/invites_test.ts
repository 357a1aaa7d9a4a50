import assert from "node:assert/strict";
import { Invites, type InviteWish } from "../../../server/limits/invites.ts";
import { tokenDigest } from "../../../server/config/access_tokens.ts";
import { LimitError } from "../../../shared/base/errors.ts";
import {
  INVITES_MAX,
  INVITES_PER_SOURCE,
  INVITES_PER_TOKEN,
} from "../../../server/config/limits.ts";

const NOW = 1_790_000_000_000;

interface Made extends Partial<Pick<InviteWish, "uses" | "until" | "title">> {
  readonly token?: string;
  readonly source?: string;
}

function wish({ token = "alice's", source = "192.0.2.1", ...rest }: Made = {}): InviteWish {
  const maker = { client: 1, name: "alice", source, token: tokenDigest(token) };
  return { maker, title: "den", until: NOW + 1_000, uses: undefined, ...rest };
}

Deno.test("an invite lets in as often as it may, and not after its time", () => {
  const invites = new Invites();
  const twice = invites.mint(wish({ uses: 2 }), NOW);
  const open = invites.mint(wish(), NOW);
  assert.deepEqual([twice.invite.number, open.invite.number], [1, 2]);
  assert.match(twice.token, /^[\w-]{22}$/);
  const digest = tokenDigest(twice.token);
  assert.equal(invites.use(digest, NOW)?.number, 1);
  assert.equal(invites.find(digest, NOW)?.uses, 1);
  assert.equal(invites.use(digest, NOW)?.number, 1);
  assert.equal(invites.use(digest, NOW), undefined);
  assert.equal(invites.find(digest, NOW), undefined);
  for (let n = 0; n < 20; n++) assert.equal(invites.use(tokenDigest(open.token), NOW)?.number, 2);
  assert.equal(invites.find(tokenDigest(open.token), NOW + 999)?.number, 2);
  assert.equal(invites.use(tokenDigest(open.token), NOW + 1_000), undefined);
  assert.equal(invites.use(tokenDigest("x"), NOW), undefined);
  assert.equal(invites.count(NOW + 1_000), 0);
});

Deno.test("whoever came with the same token sees and ends an invite, and nobody else", () => {
  const invites = new Invites();
  const { token } = invites.mint(wish(), NOW);
  const [alice, bob] = [tokenDigest("alice's"), tokenDigest("bob's")];
  assert.deepEqual(invites.of(bob, NOW), []);
  assert.equal(invites.revoke(1, bob), false);
  assert.deepEqual(invites.of(alice, NOW).map(({ number, title }) => [number, title]), [[
    1,
    "den",
  ]]);
  assert.equal(invites.revoke(2, alice), false);
  assert.equal(invites.revoke(1, alice), true);
  assert.equal(invites.use(tokenDigest(token), NOW), undefined);
});

Deno.test("invites end with the token of who had them made", () => {
  const invites = new Invites();
  const [one, two] = ["one", "two"].map((token) => invites.mint(wish({ token }), NOW).token);
  invites.keep((digest) => tokenDigest("two").every((byte, n) => byte === digest[n]));
  assert.equal(invites.find(tokenDigest(one ?? ""), NOW), undefined);
  assert.equal(invites.find(tokenDigest(two ?? ""), NOW)?.number, 2);
});

Deno.test("an address, a token and a server have so many open invites and no more; those that ended are forgotten", () => {
  const fill = (count: number, made: (n: number) => Made) => {
    const invites = new Invites();
    for (let n = 0; n < count; n++) invites.mint(wish(made(n)), NOW);
    return invites;
  };
  const cases = [
    [INVITES_PER_SOURCE, (n: number) => ({ token: `${n}` }), /from your address/],
    [INVITES_PER_TOKEN, (n: number) => ({ source: `${n}` }), /with your token/],
    [INVITES_MAX, (n: number) => ({ source: `${n}`, token: `${n}` }), /the server has too many/],
  ] as const;
  for (const [most, made, why] of cases) {
    const invites = fill(most, made);
    assert.throws(() => invites.mint(wish(made(most)), NOW), LimitError);
    assert.throws(() => invites.mint(wish(made(most)), NOW), why);
    assert.equal(invites.count(NOW), most);
    invites.mint(wish({ ...made(most), until: NOW + 9_000 }), NOW + 1_000);
    assert.equal(invites.count(NOW + 1_000), 1);
  }
});

Deno.test("the next process goes on with what is open, and its numbers", () => {
  const before = new Invites();
  const { token } = before.mint(wish({ uses: 2 }), NOW);
  before.mint(wish(), NOW);
  const after = new Invites();
  after.restore(before.state);
  assert.deepEqual(after.state, before.state);
  assert.equal(after.use(tokenDigest(token), NOW)?.uses, 2);
  assert.equal(after.mint(wish(), NOW).invite.number, 3);
});
