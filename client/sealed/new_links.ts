// The links to which members of a sealed room ask all to go. Which of them the user means must not depend on who asked
// last: between the line that the user has read and /rekey follow, anybody may ask for another one.

import { UsageError } from "../../shared/base/errors.ts";
import { nameKey } from "../../shared/text/names.ts";
import { quote } from "../../shared/base/sanitize.ts";
import { listedName } from "../render/text.ts";

/** A member's new link. */
export interface NewLink {
  /** The engine's number of the member. */
  readonly client: number;
  readonly name: string;
  readonly secret: Uint8Array;
}

// Far more than people agree about; somebody with the link could come in under new names without end.
const KEPT = 64;

/** The new links of one room, the last one of each member. */
export class NewLinks {
  readonly #links = new Map<number, NewLink>();

  /** Somebody has made a link. */
  add(link: NewLink): void {
    this.#links.delete(link.client);
    this.#links.set(link.client, link);
    const [oldest] = this.#links.keys();
    if (this.#links.size > KEPT && oldest !== undefined) this.#links.delete(oldest);
  }

  /** The link of the member of that name, or, without a name, the only one. Throws UsageError. */
  find(name = ""): NewLink {
    const all = [...this.#links.values()];
    const found = name === "" ? all : all.filter((link) => nameKey(link.name) === nameKey(name));
    const [link, ...others] = found;
    if (link === undefined) {
      throw new UsageError(
        name === "" || all.length === 0
          ? "Cannot follow: nobody in this room has created a new link"
          : `Cannot follow ${quote(name)}: nobody of this name has created a new link in this room`,
      );
    }
    if (others.length === 0) return link;
    if (name !== "") {
      throw new UsageError(
        `Cannot follow ${quote(name)}: two members who had this name have created new links`,
        { hint: "ask for the link itself, over a channel that you trust" },
      );
    }
    const names = [...new Set(found.map((each) => listedName(each.name)))].join(", ");
    throw new UsageError(
      `Cannot follow: ${found.length} members have created new links, so it needs a name`,
      { hint: `/rekey follow with one of ${names}` },
    );
  }
}
