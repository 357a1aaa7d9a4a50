// deno-lint-ignore-file no-console
// Two members of a sealed room, each in its worker, over the small relay of the tests: prints what they agree on. A test
// compiles this, to see that the workers are in the file and run without any right.

import { openSealedEngine, type SealedEngine } from "../../../client/sealed_engine/engine.ts";
import type { SealStatus } from "../../../client/sealed_engine/engine_protocol.ts";
import { TestRelay } from "../peers/sealed_relay.ts";

const relay = new TestRelay();
const engines: SealedEngine[] = [];
const last: SealStatus[] = [];
const texts: string[] = [];

function pump(): void {
  relay.peers.forEach((peer, i) => {
    for (const event of peer.inbox.splice(0)) engines[i]?.receive(event);
  });
}

function open(name: string): void {
  const i = engines.length;
  const peer = relay.peer(name);
  peer.isOnline = true;
  engines.push(openSealedEngine({
    secret: new Uint8Array(32).fill(9),
    name,
    send(request) {
      relay.take(peer, request);
      pump();
    },
    tell(event) {
      if (event.kind === "text") texts.push(`${name} reads ${event.name}: ${event.text}`);
      if (event.kind === "status") last[i] = event;
      goOn();
    },
    fail(error) {
      console.error(error);
      Deno.exit(1);
    },
  }));
  engines[i]?.handle({ kind: "online", challenge: new Uint8Array(32) });
}

function isIn(i: number, people: number): boolean {
  return last[i]?.phase === "in" && last[i]?.people.length === people;
}

let step = 0;

function goOn(): void {
  if (step === 0 && isIn(0, 1)) {
    step = 1;
    open("bob");
  } else if (step === 1 && isIn(0, 2) && isIn(1, 2)) {
    step = 2;
    engines[0]?.handle({ kind: "say", request: 1, text: "hello" });
  } else if (step === 2 && texts.length === 2) {
    step = 3;
    console.log(JSON.stringify({ same: last[0]?.code === last[1]?.code, texts: texts.sort() }));
    for (const engine of engines) engine.close();
  }
}

open("alice");
