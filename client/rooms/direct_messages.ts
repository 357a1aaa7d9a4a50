// Direct messages of this session: who sent the last one, and the texts of our own until they are known to be delivered.

import type { RequestId } from "../../shared/messages/ids.ts";
import type { AnyClientId, WithAnyIds } from "../base/local_ids.ts";
import type { EventOf } from "../../shared/messages/messages_v2.ts";

/** A person by the id of their session: a name may be somebody else's by now. */
export interface Correspondent {
  readonly client: AnyClientId;
  readonly name: string;
}

const REMEMBERED = 32;

/** Direct messages in both directions. Texts and names are NOT sanitized. */
export class DirectMessages {
  /** The sender of the last direct message to us. */
  last: Correspondent | undefined;
  readonly #own = new Map<number, string>();

  /** Takes a direct message; `isOwn`: ours, as the server confirmed it. */
  note({ client, name, request, text }: WithAnyIds<EventOf<"direct">>, isOwn: boolean): void {
    if (!isOwn) {
      this.last = { client, name };
      return;
    }
    this.#own.set(request, text);
    const [oldest] = this.#own.keys();
    if (this.#own.size > REMEMBERED && oldest !== undefined) this.#own.delete(oldest);
  }

  /** The text of our direct message `request`; undefined where it is not remembered. */
  textOf(request: RequestId): string | undefined {
    return this.#own.get(request);
  }

  /** Another session: numbers of persons and requests mean others there. */
  clear(): void {
    this.last = undefined;
    this.#own.clear();
  }
}
