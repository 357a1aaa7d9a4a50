// Who has said which text, by the key of its sender: nobody can change what another has said.

import { equalBytes, fromHex, toHex } from "#platform/bytes.ts";
import type { SequenceNumber } from "../../shared/messages/ids.ts";
import { SAID_REMEMBERED } from "../base/limits.ts";

interface Spoken {
  readonly author: string;
  readonly id: Uint8Array;
  readonly sequence: number;
  /** Its author has taken it back: it stays so, and nothing more is done to it. */
  isTakenBack: boolean;
}

/** The last SAID_REMEMBERED texts of one room. */
export class RecentTexts {
  readonly #texts = new Map<string, Spoken>();

  /** Somebody with that signature key has said a text, which is shown under that sequence. */
  add(
    key: Uint8Array,
    { id, sequence }: { readonly id: Uint8Array; readonly sequence: number },
  ): void {
    const author = toHex(key);
    const name = `${author}:${toHex(id)}`;
    // What a void has thrown out is said again: it stays where it was shown first.
    if (this.#texts.has(name)) return;
    // A relay that has forgotten the end of a room gives a place again: the place is that of the text which came last.
    for (const [other, text] of this.#texts) {
      if (text.sequence === sequence) this.#texts.delete(other);
    }
    this.#texts.set(name, { author, id, sequence, isTakenBack: false });
    if (this.#texts.size > SAID_REMEMBERED) {
      this.#texts.delete(this.#texts.keys().next().value as string);
    }
  }

  /** Its author takes that text back. */
  takeBack(key: Uint8Array, id: Uint8Array): void {
    const text = this.#texts.get(`${toHex(key)}:${toHex(id)}`);
    if (text !== undefined) text.isTakenBack = true;
  }

  /** Whether that one's text of that id was taken back, as far as is known. */
  isTakenBack(key: Uint8Array, id: Uint8Array): boolean {
    return this.#texts.get(`${toHex(key)}:${toHex(id)}`)?.isTakenBack === true;
  }

  /** Under which sequence that one's text of that id is shown; undefined where they have said none. */
  sequenceOf(key: Uint8Array, id: Uint8Array): number | undefined {
    return standing(this.#texts.get(`${toHex(key)}:${toHex(id)}`))?.sequence;
  }

  /** Under which sequence the text of that id is shown, whoever said it; the first that had the id. */
  sequenceOfId(id: Uint8Array): number | undefined {
    return standing(this.#texts.values().find((text) => equalBytes(text.id, id)))?.sequence;
  }

  /** The text that is shown under that sequence: its id, and the signature key of who said it. */
  at(sequence: SequenceNumber): { readonly id: Uint8Array; readonly key: Uint8Array } | undefined {
    const text = this.#at(sequence);
    return text && { id: text.id, key: fromHex(text.author) };
  }

  /** The id of the text that is shown under that sequence, whoever said it. */
  idAt(sequence: SequenceNumber): Uint8Array | undefined {
    return this.#at(sequence)?.id;
  }

  /** The id of that one's text that is shown under that sequence. */
  idOf(key: Uint8Array, sequence: SequenceNumber): Uint8Array | undefined {
    const text = this.#at(sequence);
    return text?.author === toHex(key) ? text.id : undefined;
  }

  #at(sequence: SequenceNumber): Spoken | undefined {
    return standing(this.#texts.values().find((each) => each.sequence === sequence));
  }
}

function standing(text: Spoken | undefined): Spoken | undefined {
  return text?.isTakenBack === true ? undefined : text;
}
