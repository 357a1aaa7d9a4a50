import assert from "node:assert/strict";
import {
  type Invite,
  Invites,
  type InviteWish,
  newInviteToken,
} from "../../../server/limits/invites.ts";
import { tokenDigest } from "../../../server/config/access_tokens.ts";
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

let made = 0;

/** Mints one as `take` does, with the token that it makes up. */
function mint(invites: Invites, wanted: InviteWish, now = NOW): { invite: Invite; token: string } {
  const token = `token ${++made}`;
  const invite = invites.take({ kind: "mint", digest: tokenDigest(token), wish: wanted, now });
  assert.ok(typeof invite === "object", `${invite}`);
  return { invite, token };
}

function use(invites: Invites, token: string, now = NOW): Invite | undefined {
  return invites.take({ kind: "use", digest: tokenDigest(token), now }) as Invite | undefined;
}

function revoke(invites: Invites, number: number, token: Uint8Array): boolean {
  return invites.take({ kind: "revoke", number, token }) !== undefined;
}

function wish({ token = "alice's", source = "192.0.2.1", ...rest }: Made = {}): InviteWish {
  const maker = { client: 1, name: "alice", source, token: tokenDigest(token) };
  return { maker, title: "den", until: NOW + 1_000, uses: undefined, ...rest };
}

Deno.test("an invite lets in as often as it may, and not after its time", () => {
  const invites = new Invites();
  const twice = mint(invites, wish({ uses: 2 }));
  const open = mint(invites, wish());
  assert.deepEqual([twice.invite.number, open.invite.number], [1, 2]);
  const { token, digest } = newInviteToken();
  assert.match(token, /^[\w-]{22}$/);
  assert.deepEqual(digest, tokenDigest(token));
  assert.equal(use(invites, twice.token)?.number, 1);
  assert.equal(invites.find(tokenDigest(twice.token), NOW)?.uses, 1);
  assert.equal(use(invites, twice.token)?.number, 1);
  assert.equal(use(invites, twice.token), undefined);
  assert.equal(invites.find(tokenDigest(twice.token), NOW), undefined);
  for (let n = 0; n < 20; n++) assert.equal(use(invites, open.token)?.number, 2);
  assert.equal(invites.find(tokenDigest(open.token), NOW + 999)?.number, 2);
  assert.equal(use(invites, open.token, NOW + 1_000), undefined);
  assert.equal(use(invites, "x"), undefined);
  assert.equal(invites.count(NOW + 1_000), 0);
});

Deno.test("a use that came to nothing is given back, unless the invite has ended", () => {
  const invites = new Invites();
  const alice = tokenDigest("alice's");
  const giveBack = (token: string) => invites.take({ kind: "return", digest: tokenDigest(token) });
  const once = mint(invites, wish({ uses: 1 }));
  use(invites, once.token);
  assert.deepEqual(invites.of(alice, NOW), []);
  giveBack(once.token);
  assert.equal(use(invites, once.token)?.number, 1);
  assert.equal(use(invites, once.token), undefined);
  const twice = mint(invites, wish({ uses: 2 }));
  use(invites, twice.token);
  assert.ok(revoke(invites, 2, alice));
  giveBack(twice.token);
  assert.equal(use(invites, twice.token), undefined);
  const open = mint(invites, wish());
  giveBack(open.token);
  assert.equal(invites.find(tokenDigest(open.token), NOW)?.uses, undefined);
});

Deno.test("whoever came with the same token sees and ends an invite, and nobody else", () => {
  const invites = new Invites();
  const { token } = mint(invites, wish());
  const [alice, bob] = [tokenDigest("alice's"), tokenDigest("bob's")];
  assert.deepEqual(invites.of(bob, NOW), []);
  assert.equal(revoke(invites, 1, bob), false);
  assert.deepEqual(invites.of(alice, NOW).map(({ number, title }) => [number, title]), [[
    1,
    "den",
  ]]);
  assert.equal(revoke(invites, 2, alice), false);
  assert.equal(revoke(invites, 1, alice), true);
  assert.equal(use(invites, token), undefined);
});

Deno.test("invites end with the token of who had them made", () => {
  const invites = new Invites();
  const [one, two] = ["one", "two"].map((token) => mint(invites, wish({ token })).token);
  invites.take({ kind: "end", token: tokenDigest("one") });
  assert.equal(invites.find(tokenDigest(one ?? ""), NOW), undefined);
  assert.equal(invites.find(tokenDigest(two ?? ""), NOW)?.number, 2);
});

Deno.test("an address, a token and a server have so many open invites and no more; those that ended are forgotten", () => {
  const fill = (count: number, made: (n: number) => Made) => {
    const invites = new Invites();
    for (let n = 0; n < count; n++) mint(invites, wish(made(n)));
    return invites;
  };
  const cases = [
    [INVITES_PER_SOURCE, (n: number) => ({ token: `${n}` }), /from your address/],
    [INVITES_PER_TOKEN, (n: number) => ({ source: `${n}` }), /with your token/],
    [INVITES_MAX, (n: number) => ({ source: `${n}`, token: `${n}` }), /the server has too many/],
  ] as const;
  for (const [most, made, why] of cases) {
    const invites = fill(most, made);
    const digest = tokenDigest("one more");
    const refused = invites.take({ kind: "mint", digest, wish: wish(made(most)), now: NOW });
    assert.match(String(refused), why);
    assert.equal(invites.count(NOW), most);
    mint(invites, wish({ ...made(most), until: NOW + 9_000 }), NOW + 1_000);
    assert.equal(invites.count(NOW + 1_000), 1);
  }
});

Deno.test("invites that are made and used up without end leave no more behind than may be given back", () => {
  const invites = new Invites();
  for (let n = 0; n < 1_000; n++) use(invites, mint(invites, wish({ uses: 1 })).token);
  assert.equal(invites.state.open.length, 64);
  assert.equal(invites.count(NOW), 0);
});

Deno.test("the next process goes on with what is open, and its numbers", () => {
  const before = new Invites();
  const { token } = mint(before, wish({ uses: 2 }));
  mint(before, wish());
  const after = new Invites();
  after.restore(before.state);
  assert.deepEqual(after.state, before.state);
  assert.equal(use(after, token)?.uses, 2);
  assert.equal(mint(after, wish()).invite.number, 3);
});

Deno.test("an old state brings nothing back that has ended since: no invite, and no use", () => {
  const invites = new Invites();
  const [once, thrice] = [1, 3].map((uses) => mint(invites, wish({ uses })).token);
  const old = invites.state;
  use(invites, once ?? "");
  use(invites, thrice ?? "");
  invites.adopt(old);
  assert.equal(use(invites, once ?? ""), undefined);
  assert.equal(invites.find(tokenDigest(thrice ?? ""), NOW)?.uses, 2);
  invites.endAll();
  invites.adopt(old);
  assert.equal(invites.count(NOW), 0);
  assert.equal(mint(invites, wish()).invite.number, 3);
  // Whoever was away takes what is new from it.
  const late = new Invites();
  late.adopt(old);
  assert.equal(late.count(NOW), 2);
});
