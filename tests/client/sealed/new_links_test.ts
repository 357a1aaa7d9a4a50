// Where /rekey follow leads when more than one member has made a new link.

import assert from "node:assert/strict";
import { readTerminal } from "../../../client/app/terminal_input.ts";
import { NewLinks } from "../../../client/sealed/new_links.ts";
import { FakeSession, startChat } from "../../helpers/fakes/chat_fakes.ts";
import {
  type FakeEngine,
  fakeEngines,
  personOf,
  statusOf,
} from "../../helpers/fakes/fake_engine.ts";

const people = [personOf(1, "alice"), personOf(2, "bob"), personOf(3, "jane doe")];
const secretOf = (n: number) => new Uint8Array(32).fill(n);

/** Alice in the sealed room "team" with bob and jane doe. */
async function sealedChat() {
  const { engines, openEngine } = fakeEngines();
  const session = new FakeSession({ challenge: secretOf(9), rooms: 0 });
  const place = { name: "alice", room: "team" };
  const fake = await startChat([session], { place, secret: secretOf(7), openEngine });
  void readTerminal({ chat: fake.chat, downloads: false, clock: fake.clock });
  const engine = engines[0] as FakeEngine;
  engine.tell(statusOf({ people, maker: 1 }));
  const text = () => fake.console.printed.join("\n");
  return { ...fake, engines, engine, text };
}

Deno.test("a link of somebody else behind the one that the user read of is not followed instead", async () => {
  const { chat, console, engine, engines, text } = await sealedChat();
  engine.tell({ kind: "moved", client: 3, name: "jane doe", secret: secretOf(8) });
  assert.match(text(), /"jane doe" has made a new link for "team"/);
  assert.match(text(), /\/rekey follow "jane doe"/);
  // While the user types that, somebody else makes one as well.
  engine.tell({ kind: "moved", client: 2, name: "bob", secret: secretOf(66) });
  await console.enter("/rekey follow");
  assert.equal(engines.length, 1, text());
  assert.match(text(), /Cannot follow: 2 members have created new links, so it needs a name/);
  assert.match(text(), /\/rekey follow with one of "jane doe", bob/);
  await console.enter("/rekey follow nobody");
  assert.match(text(), /Cannot follow "nobody": nobody of this name has created a new link/);
  await console.enter('/rekey follow "jane doe"');
  assert.deepEqual(engines[1]?.options.secret, secretOf(8));
  chat.end();
});

Deno.test("an ignored member's new link is not told, and not followed", async () => {
  const { chat, console, engine, engines, text } = await sealedChat();
  await console.enter("/ignore bob");
  engine.tell({ kind: "moved", client: 2, name: "bob", secret: secretOf(66) });
  assert.doesNotMatch(text(), /has made a new link/);
  await console.enter("/rekey follow");
  assert.match(text(), /nobody in this room has created a new link/);
  assert.equal(engines.length, 1);
  chat.end();
});

Deno.test("of one member the last link counts; of two who had one name neither does", () => {
  const links = new NewLinks();
  links.add({ client: 2, name: "bob", secret: secretOf(1) });
  links.add({ client: 2, name: "bob", secret: secretOf(2) });
  assert.deepEqual(links.find().secret, secretOf(2));
  assert.deepEqual(links.find("BOB").secret, secretOf(2));
  links.add({ client: 5, name: "Bob", secret: secretOf(3) });
  assert.throws(() => links.find("bob"), /two members who had this name/);
});

Deno.test("so many members' links are kept and no more", () => {
  const links = new NewLinks();
  for (let n = 0; n < 1_000; n++) {
    links.add({ client: n, name: `m${n}`, secret: secretOf(n % 256) });
  }
  assert.throws(() => links.find(), /Cannot follow: 64 members have created new links/);
});
