import assert from "node:assert/strict";
import { COMMAND_GROUPS, parseLine, runCommand } from "../../../client/commands/dispatcher.ts";
import { inviteTo } from "../../../client/commands/invite_commands.ts";
import { UsageError } from "../../../shared/base/errors.ts";
import { parseFingerprint } from "../../../shared/crypto/fingerprint.ts";
import { parseLink } from "../../../shared/text/invite_link.ts";
import { eventOf, FakeSession, startChat } from "../../helpers/fakes/chat_fakes.ts";

const UNTIL = 1_790_000_000_000;

async function story() {
  const session = new FakeSession({ fingerprint: parseFingerprint(`SHA256:${"A".repeat(43)}`) });
  const fake = await startChat([session]);
  const run = (line: string) => {
    const parsed = parseLine(line);
    assert.ok(parsed.kind === "command");
    const context = { chat: fake.chat, downloads: true, groups: COMMAND_GROUPS, quit: () => {} };
    return runCommand(parsed.row, parsed.argument, context);
  };
  const asked = () =>
    session.sent.filter(({ kind }) => ["invite", "invites", "uninvite"].includes(kind));
  return { ...fake, session, run, asked };
}

Deno.test("/invite asks for a token that ends as it says, and prints the link with it", async () => {
  const { run, asked, session, console } = await story();
  const running = ["/invite 2h once", "/invite once", "/invite 5 1d", "/invite 30m"].map(run);
  assert.deepEqual(
    asked().map((request) =>
      request.kind === "invite" ? [request.title, request.seconds, request.uses] : []
    ),
    [["lobby", 7_200, 1], ["lobby", 86_400, 1], ["lobby", 86_400, 5], ["lobby", 1_800, 0]],
  );
  for (const [n, request] of asked().entries()) {
    assert.ok(request.kind === "invite");
    const { id, uses } = request;
    // To somebody on the server's own machine it says where others reach it.
    const place: [string, number] | null = n === 0 ? ["192.0.2.7", 6_000] : null;
    const answer = { request: id, invite: n + 1, token: `t-${n}`, uses, until: UNTIL, place };
    await session.deliver(eventOf("invited", answer));
  }
  await Promise.all(running);
  const shown = console.printed.join("\n");
  const links = shown.match(/cmdchat:\S+/g) ?? [];
  assert.deepEqual(links.map((link) => parseLink(link).token), ["t-0", "t-1", "t-2", "t-3"]);
  assert.equal(parseLink(links[0] ?? "").host, "192.0.2.7");
  assert.match(shown, /Invite 1 lets one person in within 2 hours/);
  assert.match(shown, /Invite 3 lets 5 people in within 1 day/);
  assert.match(shown, /Invite 4 lets anybody in within 30 minutes/);
});

Deno.test("what makes no sense behind /invite is refused before anything is asked for", async () => {
  const { run, asked } = await story();
  for (
    const line of [
      "/invite soon",
      "/invite 0",
      "/invite 1001",
      "/invite 8d",
      "/invite once once",
      "/invite 1h 2h",
      "/invite token once",
      "/invite revoke",
      "/invite revoke x",
      "/invite revoke 1 2",
      "/invite -1h",
      "/invites 3",
      "/invites revoke",
    ]
  ) {
    await assert.rejects(async () => await run(line), UsageError, line);
  }
  assert.deepEqual(asked(), []);
});

Deno.test("/invites lists what is open, /invite revoke ends one; a refusal shows once, and no link", async () => {
  const { run, asked, session, console } = await story();
  const listing = run("/invites");
  const list: [number, string, string, number, number][] = [
    [3, "a\x1b[2J", "lobby", 1, UNTIL],
    [4, "bob b", "", 0, UNTIL],
  ];
  await session.deliver(eventOf("invites", { request: 1, list }));
  await listing;
  const shown = console.printed.join("\n");
  assert.match(shown, /3: to lobby, by .*, lets one person in, open for \d+ /);
  assert.match(shown, /4: to a sealed room, by "bob b", lets anybody in/);
  // deno-lint-ignore no-control-regex -- what must not be there
  assert.doesNotMatch(shown, /\x1b\[2J/);
  const ending = run("/invite revoke 3");
  assert.deepEqual(asked().at(-1), { kind: "uninvite", id: 2, invite: 3 });
  await session.deliver(eventOf("done", { id: 2 }));
  await ending;
  assert.match(console.printed.at(-1) ?? "", /Invite 3 lets nobody in any more/);
  const minting = run("/invite once");
  console.printed.length = 0;
  await session.deliver(eventOf("declined", { id: 3, why: "Cannot make an invite: no" }));
  assert.deepEqual(await minting, { why: "Cannot make an invite: no" });
  assert.doesNotMatch(console.printed.join("\n"), /cmdchat:/);
  assert.equal(console.printed.filter((line) => line.includes("Cannot make an invite")).length, 1);
});

Deno.test("an invite whose answer was lost with the connection says what to do", async () => {
  const { run, session } = await story();
  const minting = assert.rejects(
    async () => await run("/invite once"),
    /its link was lost with the connection/,
  );
  await session.deliver(eventOf("done", { id: 1 }));
  await minting;
});

Deno.test("/invite has a link for browsers where the server says over TLS that it has a page", async () => {
  const fingerprint = parseFingerprint(`SHA256:${"A".repeat(43)}`);
  const cases = [[true, true, 1], [false, true, 0], [true, false, 0]] as const;
  for (const [hasPage, tls, links] of cases) {
    const address = { host: "chat.example.org", port: 443, tls, token: undefined };
    const session = new FakeSession({ fingerprint, hasPage });
    const { chat, console } = await startChat([session], { address });
    const context = { chat, downloads: true, groups: COMMAND_GROUPS, quit: () => {} };
    const parsed = parseLine("/invite");
    assert.ok(parsed.kind === "command");
    await runCommand(parsed.row, parsed.argument, context);
    const shown = console.printed.join("\n");
    const found = shown.match(/https:\/\/chat\.example\.org\/#room=lobby&fp=\S+/g) ?? [];
    assert.equal(found.length, links, `${hasPage} ${tls}`);
    assert.match(shown, /cmdchat:\/\/chat\.example\.org/);
    const secret = new Uint8Array(32);
    assert.equal(inviteTo(chat, { secret }).web, undefined, "a server's page gets no secret");
    chat.end();
  }
});
