// Tokens that members had the server make: each ends at a time, and most after a number of uses. They live in memory,
// as digests. An invite that ends lets nobody else in; clients that came in with it stay.
//
// What happens to them is plain data, whose outcome depends on what happened before and on nothing else: servers that
// read it in one order agree on every invite.

import { equalBytes } from "#platform/bytes.ts";
import { randomBytes } from "node:crypto";
import { encodeBase64, encodeBase64Url } from "../../shared/base/base64.ts";
import { tokenDigest } from "../config/access_tokens.ts";
import { INVITES_MAX, INVITES_PER_SOURCE, INVITES_PER_TOKEN } from "../config/limits.ts";

/** The client that asked for an invite. */
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

/** By which invite somebody came. */
export interface InvitedBy {
  readonly number: number;
  readonly maker: Pick<InviteMaker, "client" | "name" | "token">;
}

/** What is asked for. */
export type InviteWish = Pick<Invite, "maker" | "title" | "until" | "uses">;

/** All that the next process, or another server, must know. */
export interface InvitesState {
  readonly last: number;
  /** The open ones, and those that were used up last. */
  readonly open: readonly (readonly [digest: Uint8Array, invite: Invite])[];
}

/** What may happen to invites; `now` is the asker's time, ms since 1970. */
export type InviteStep =
  | {
    readonly kind: "mint";
    readonly digest: Uint8Array;
    readonly wish: InviteWish;
    readonly now: number;
  }
  /** One session more comes in by it. */
  | { readonly kind: "use"; readonly digest: Uint8Array; readonly now: number }
  /** A session that was to come in by it did not. */
  | { readonly kind: "return"; readonly digest: Uint8Array }
  | { readonly kind: "revoke"; readonly number: number; readonly token: Uint8Array }
  /** The token of its makers is none of the server's any more. */
  | { readonly kind: "end"; readonly token: Uint8Array };

/** The invite that a step was about, or why it was not done; undefined = there is none. */
export type InviteOutcome = Invite | string | undefined;

// 128 bits: nobody guesses it, and a link stays short.
const TOKEN_BYTES = 16;

// Invites that were used up, and whose last use may still be returned: logins that are under way.
const USED_UP_KEPT = 64;

/** A token for an invite, and its digest, which is all that is kept. */
export function newInviteToken(): { readonly token: string; readonly digest: Uint8Array } {
  const token = encodeBase64Url(randomBytes(TOKEN_BYTES));
  return { token, digest: tokenDigest(token) };
}

// What ended before its time is remembered, so that no old entry of a log brings it back; some 100 bytes each.
const ENDED_KEPT = 4_096;

interface Kept extends Invite {
  readonly digest: Uint8Array;
}

/** The invites of one server, or of several. Times are ms since 1970. */
export class Invites {
  /** By the digest of the token: a look-up by it tells nothing about tokens that are nearly right. */
  readonly #kept = new Map<string, Kept>();
  readonly #ended = new Set<string>();
  #last = 0;

  /** Does one step. */
  take(step: InviteStep): InviteOutcome {
    switch (step.kind) {
      case "mint":
        return this.#mint(step.digest, step.wish, step.now);
      case "use":
        return this.#use(step.digest, step.now);
      case "return":
        return this.#giveBack(step.digest);
      case "revoke":
        return this.#revoke(step.number, step.token);
      case "end":
        this.keep((digest) => !equalBytes(digest, step.token));
        return undefined;
    }
  }

  /** The open invite with this digest; undefined where there is none, or none any more. */
  find(digest: Uint8Array, now: number): Invite | undefined {
    const invite = this.#kept.get(encodeBase64(digest));
    return invite !== undefined && isOpen(invite) && invite.until > now ? invite : undefined;
  }

  /** Those that are open whose maker came with the same token, the oldest first. */
  of(token: Uint8Array, now: number): readonly Invite[] {
    return this.#open(now).filter(({ maker }) => equalBytes(maker.token, token));
  }

  /** How many are open. */
  count(now: number): number {
    return this.#open(now).length;
  }

  /** Ends those whose maker's token is none of the server's any more. */
  keep(isToken: (digest: Uint8Array) => boolean): void {
    for (const [key, { maker }] of this.#kept) if (!isToken(maker.token)) this.#end(key);
  }

  /** Whether none was ever made, as far as it is known here. */
  get isUntouched(): boolean {
    return this.#last === 0;
  }

  get state(): InvitesState {
    const kept = [...this.#kept.values()];
    return { last: this.#last, open: kept.map(({ digest, ...invite }) => [digest, invite]) };
  }

  /** Goes on from what the process before this one knew. */
  restore({ last, open }: InvitesState): void {
    this.#last = last;
    for (const [digest, invite] of open) this.#put(digest, invite);
  }

  /** Goes on from what another server knows. What ended here stays so, whatever an old state says. */
  adopt({ last, open }: InvitesState): void {
    const before = new Map(this.#kept);
    this.#kept.clear();
    for (const [digest, invite] of open) {
      const key = encodeBase64(digest);
      const known = before.get(key)?.uses;
      before.delete(key);
      if (this.#ended.has(key)) continue;
      this.#put(digest, { ...invite, uses: fewer(known, invite.uses ?? undefined) });
    }
    for (const key of before.keys()) this.#end(key);
    this.#last = Math.max(this.#last, last);
  }

  /** All that are open end, since nobody can say any more which of them were used. */
  endAll(): void {
    for (const key of this.#kept.keys()) this.#end(key);
  }

  #mint(digest: Uint8Array, wish: InviteWish, now: number): Invite | string {
    for (const [key, { until }] of this.#kept) if (until <= now) this.#kept.delete(key);
    const why = this.#ended.has(encodeBase64(digest))
      ? "it was made before, and has ended"
      : this.#excess(wish.maker, now);
    if (why !== undefined) return why;
    return this.#put(digest, { ...wish, number: ++this.#last });
  }

  #use(digest: Uint8Array, now: number): Invite | undefined {
    const invite = this.find(digest, now);
    if (invite?.uses === undefined) return invite;
    // Behind all others: those that were used up last are kept longest.
    if (invite.uses === 1) this.#kept.delete(encodeBase64(digest));
    this.#put(digest, { ...invite, uses: invite.uses - 1 });
    this.#forgetUsedUp();
    return invite;
  }

  #giveBack(digest: Uint8Array): Invite | undefined {
    const invite = this.#kept.get(encodeBase64(digest));
    if (invite?.uses === undefined) return invite;
    return this.#put(digest, { ...invite, uses: invite.uses + 1 });
  }

  #revoke(number: number, token: Uint8Array): Invite | undefined {
    for (const [key, invite] of this.#kept) {
      const isTheirs = invite.number === number && equalBytes(invite.maker.token, token);
      if (!isTheirs || !isOpen(invite)) continue;
      this.#end(key);
      return invite;
    }
    return undefined;
  }

  #end(key: string): void {
    this.#kept.delete(key);
    this.#ended.add(key);
    const [oldest] = this.#ended;
    if (this.#ended.size > ENDED_KEPT && oldest !== undefined) this.#ended.delete(oldest);
  }

  // CBOR has no place for what is undefined but null.
  #put(digest: Uint8Array, { uses, ...invite }: Invite): Invite {
    const kept = { ...invite, uses: uses ?? undefined, digest };
    this.#kept.set(encodeBase64(digest), kept);
    return kept;
  }

  #open(now: number): readonly Kept[] {
    return [...this.#kept.values()].filter((invite) => isOpen(invite) && invite.until > now);
  }

  /** Why its maker may have no other one made; undefined where it may. */
  #excess({ source, token }: InviteMaker, now: number): string | undefined {
    const open = this.#open(now);
    const ofSource = open.filter(({ maker }) => maker.source === source).length;
    const ofToken = open.filter(({ maker }) => equalBytes(maker.token, token)).length;
    if (ofSource >= INVITES_PER_SOURCE) {
      return `${ofSource} that were made from your address are open`;
    }
    if (ofToken >= INVITES_PER_TOKEN) return `${ofToken} that were made with your token are open`;
    return open.length >= INVITES_MAX ? "the server has too many that are open" : undefined;
  }

  #forgetUsedUp(): void {
    const usedUp = [...this.#kept].filter(([, invite]) => !isOpen(invite));
    for (const [key] of usedUp.slice(0, -USED_UP_KEPT)) this.#end(key);
  }
}

function isOpen({ uses }: Invite): boolean {
  return uses !== 0;
}

function fewer(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined ? other : Math.min(one, other ?? one);
}
