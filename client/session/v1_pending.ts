// Which request an answer of a v1 server belongs to. v1 has no acknowledgements: an echo stands for one, and since the
// server works in order, an answer to a later request tells that the earlier ones were dropped.

import type { RequestId } from "../../shared/messages/ids.ts";

/** Requests that the server answers or refuses. */
export type RequestKind = "chat" | "rename" | "join" | "offer";

interface Waiting {
  readonly kind: RequestKind;
  /** Its text, name, room or file id. */
  readonly value: string;
  readonly id: RequestId;
}

/** The request that was answered, and those before it that never will be. */
export interface Answered {
  readonly id: RequestId;
  readonly dropped: readonly number[];
}

/** Requests without an answer, oldest first. */
export class V1Pending {
  #waiting: Waiting[] = [];

  /** Number of requests without an answer. */
  get size(): number {
    return this.#waiting.length;
  }

  /** Remembers a request just before it is sent. */
  add(request: Waiting): void {
    this.#waiting.push(request);
  }

  /** What the oldest request of this kind asks for. */
  oldest(kind: RequestKind): string | undefined {
    return this.#waiting.find((request) => request.kind === kind)?.value;
  }

  /** The server did this: which of our requests it was, if it was one. */
  confirm(kind: RequestKind, value?: string): Answered | undefined {
    const at = this.#waiting.findIndex((request) =>
      request.kind === kind && (value === undefined || request.value.trim() === value.trim())
    );
    if (at < 0) return undefined;
    const settled = this.#waiting.splice(0, at + 1);
    const { id } = settled.pop() as Waiting;
    return { id, dropped: settled.map((request) => request.id) };
  }

  /** The server refused a request: the oldest of these kinds. */
  refuse(kinds: readonly RequestKind[]): RequestId | undefined {
    const at = this.#waiting.findIndex(({ kind }) => kinds.includes(kind));
    return at < 0 ? undefined : this.#waiting.splice(at, 1)[0]?.id;
  }
}
