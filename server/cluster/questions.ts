// Questions of one server to the others, and who has answered them.

import type { Slot } from "./client_numbers.ts";
import type { ClusterMessage } from "./cluster_messages.ts";

const ANSWER_MS = 3_000;
// A client that makes a room waits this long if a server hangs that counts as alive.
const ALL_ANSWER_MS = 1_000;

interface Question {
  readonly answers: ClusterMessage[];
  /** How many answers it has to have. */
  readonly wanted: number;
  readonly done: () => void;
}

/** The questions of one server that have no answer yet. */
export class Questions {
  readonly #slot: Slot;
  readonly #send: (message: ClusterMessage) => void;
  readonly #open = new Map<number, Question>();
  #asked = 0;

  constructor(slot: Slot, send: (message: ClusterMessage) => void) {
    this.#slot = slot;
    this.#send = send;
  }

  /** Asks all; gives the first answer, or undefined where none came in time. */
  async one(messageOf: (question: number) => ClusterMessage): Promise<ClusterMessage | undefined> {
    return (await this.#ask(messageOf, 1, ANSWER_MS))[0];
  }

  /** Asks `servers` others, each of which answers; gives the answers that came in time. */
  async all(
    messageOf: (question: number) => ClusterMessage,
    servers: number,
  ): Promise<readonly ClusterMessage[]> {
    return servers === 0 ? [] : await this.#ask(messageOf, servers, ALL_ANSWER_MS);
  }

  /** An answer came. */
  answer(question: number, message: ClusterMessage): void {
    const asked = this.#open.get(question);
    asked?.answers.push(message);
    if (asked?.answers.length === asked?.wanted) asked?.done();
  }

  #ask(
    messageOf: (question: number) => ClusterMessage,
    wanted: number,
    patienceMs: number,
  ): Promise<readonly ClusterMessage[]> {
    // Numbers of two servers must not collide: each begins with its slot.
    const question = this.#slot * 2 ** 25 + (this.#asked++ % 2 ** 25);
    return new Promise((resolve) => {
      const answers: ClusterMessage[] = [];
      const done = () => {
        clearTimeout(timer);
        this.#open.delete(question);
        resolve(answers);
      };
      const timer = setTimeout(done, patienceMs);
      this.#open.set(question, { answers, wanted, done });
      this.#send(messageOf(question));
    });
  }
}
