// Two members who talk while something else happens: how long a line takes.

import { decodeEvent } from "../../../shared/messages/codec_v2.ts";
import { pause, writeAll } from "./load.ts";
import { makeLoadKeys, V2Member } from "./v2_member.ts";

const EVERY_MS = 25;

/** Two members of a room of their own. */
export class Talkers {
  readonly #alice: V2Member;
  readonly #bob: V2Member;
  #said = 0;

  private constructor(alice: V2Member, bob: V2Member) {
    this.#alice = alice;
    this.#bob = bob;
  }

  /** Lets two members in. */
  static async join(port: number): Promise<Talkers> {
    const load = await makeLoadKeys();
    const join = async (name: string) =>
      await V2Member.join(await Deno.connect({ hostname: "127.0.0.1", port }), {
        load,
        name,
        room: "talk",
      });
    const talkers = new Talkers(await join("alice"), await join("bob"));
    void talkers.#alice.attend();
    return talkers;
  }

  /** Lines from the one to the other, one after another, until `over` has resolved; the ms of each. */
  async talkUntil(over: Promise<unknown>): Promise<number[]> {
    let isOver = false;
    const end = () => void (isOver = true);
    void over.then(end, end);
    const took: number[] = [];
    while (!isOver) {
      const start = performance.now();
      await this.#line();
      took.push(performance.now() - start);
      await pause(EVERY_MS);
    }
    return took;
  }

  async #line(): Promise<void> {
    const id = ++this.#said;
    const { room } = this.#alice.entered;
    const chat = { kind: "chat", id, room, text: `${id}`, action: false, reply: 0 } as const;
    await writeAll(this.#alice.conn, this.#alice.seal(chat));
    for (;;) {
      const [body] = await this.#bob.take(1);
      const event = decodeEvent(body as Uint8Array);
      if (event.kind !== "chat") continue;
      if (event.text !== `${id}`) throw new Error("a message is wrong");
      return;
    }
  }

  close(): void {
    this.#alice.conn.close();
    this.#bob.conn.close();
  }
}
