// Tokens that members had the server make: each ends at a time, and most after a number of uses. They live in memory,
// as digests. Who is in stays when an invite ends; it only lets nobody else in.

import { equalBytes } from "#platform/bytes.ts";
import { randomBytes } from "node:crypto";
import { encodeBase64, encodeBase64Url } from "../../shared/base/base64.ts";
import { LimitError } from "../../shared/base/errors.ts";
import { tokenDigest } from "../config/access_tokens.ts";
import { INVITES_MAX, INVITES_PER_SOURCE, INVITES_PER_TOKEN } from "../config/limits.ts";

/** Who had an invite made. */
export interface InviteMaker {
  /** Its client number and its name at that time. */
  readonly client: number;
  readonly name: string;
  /** An address, or the /64 of an IPv6 one. */
  readonly source: string;
  /** Digest of the token that it came with: with that token its invites end, and so do the sessions that they let in. */
  readonly token: Uint8Array;
}

/** A token that was made for others. */
export interface Invite {
  readonly number: number;
  readonly maker: InviteMaker;
  /** The room that its link leads to, as its maker said; "" = not told. */
  readonly title: string;
  /** When it ends, ms since 1970. */
  readonly until: number;
  /** Sessions that it may still let in; undefined = any number. */
  readonly uses: number | undefined;
}

/** What is asked for. */
export type InviteWish = Pick<Invite, "maker" | "title" | "until" | "uses">;

/** All that the next process must know. */
export interface InvitesState {
  readonly last: number;
  readonly open: readonly (readonly [digest: Uint8Array, invite: Invite])[];
}

// 128 bits: nobody guesses it, and a link stays short.
const TOKEN_BYTES = 16;

/** The invites of one server. Times are ms since 1970. */
export class Invites {
  /** By the digest of the token: a look-up by it tells nothing about tokens that are nearly right. */
  readonly #open = new Map<string, Invite & { readonly digest: Uint8Array }>();
  #last = 0;

  /** Makes one. Throws LimitError where its maker, or the server, has too many that are open. */
  mint(wish: InviteWish, now: number): { readonly invite: Invite; readonly token: string } {
    this.#sweep(now);
    this.#checkBounds(wish.maker);
    const token = encodeBase64Url(randomBytes(TOKEN_BYTES));
    const digest = tokenDigest(token);
    const invite = { ...wish, digest, number: ++this.#last };
    this.#open.set(encodeBase64(digest), invite);
    return { invite, token };
  }

  /** The open invite with this digest; undefined where there is none, or none any more. */
  find(digest: Uint8Array, now: number): Invite | undefined {
    const invite = this.#open.get(encodeBase64(digest));
    return invite !== undefined && invite.until > now ? invite : undefined;
  }

  /** Lets one session in by it. Gives the invite; undefined where it has ended meanwhile. */
  use(digest: Uint8Array, now: number): Invite | undefined {
    const invite = this.find(digest, now);
    if (invite?.uses === undefined) return invite;
    const key = encodeBase64(digest);
    if (invite.uses === 1) this.#open.delete(key);
    else this.#open.set(key, { ...invite, digest, uses: invite.uses - 1 });
    return invite;
  }

  /** Those that are open whose maker came with the same token, the oldest first. */
  of(token: Uint8Array, now: number): readonly Invite[] {
    this.#sweep(now);
    return [...this.#open.values()].filter(({ maker }) => equalBytes(maker.token, token));
  }

  /** Ends one of them. False where there is none of that number. */
  revoke(number: number, token: Uint8Array): boolean {
    for (const [key, invite] of this.#open) {
      if (invite.number !== number || !equalBytes(invite.maker.token, token)) continue;
      return this.#open.delete(key);
    }
    return false;
  }

  /** Ends those whose maker's token is none of the server's any more. */
  keep(isToken: (digest: Uint8Array) => boolean): void {
    for (const [key, { maker }] of this.#open) if (!isToken(maker.token)) this.#open.delete(key);
  }

  /** How many are open. */
  count(now: number): number {
    this.#sweep(now);
    return this.#open.size;
  }

  get state(): InvitesState {
    const open = [...this.#open.values()];
    return { last: this.#last, open: open.map(({ digest, ...invite }) => [digest, invite]) };
  }

  /** Goes on from what the process before this one knew. */
  restore({ last, open }: InvitesState): void {
    this.#last = last;
    for (const [digest, { uses, ...invite }] of open) {
      // CBOR has no place for what is undefined but null.
      this.#open.set(encodeBase64(digest), { ...invite, uses: uses ?? undefined, digest });
    }
  }

  #checkBounds({ source, token }: InviteMaker): void {
    const open = [...this.#open.values()];
    const ofSource = open.filter(({ maker }) => maker.source === source).length;
    const ofToken = open.filter(({ maker }) => equalBytes(maker.token, token)).length;
    if (ofSource < INVITES_PER_SOURCE && ofToken < INVITES_PER_TOKEN && open.length < INVITES_MAX) {
      return;
    }
    throw new LimitError(
      `Cannot make an invite: ${
        ofSource >= INVITES_PER_SOURCE
          ? `${ofSource} that were made from your address are open`
          : ofToken >= INVITES_PER_TOKEN
          ? `${ofToken} that were made with your token are open`
          : "the server has too many that are open"
      }`,
    );
  }

  #sweep(now: number): void {
    for (const [key, { until }] of this.#open) if (until <= now) this.#open.delete(key);
  }
}
