// Which sessions may make, see and end invites. server/limits/invites.ts says what an invite is.

import type { Logger } from "@logtape/logtape";
import type { ServerConfig } from "../config/server_options.ts";
import { LimitError } from "../../shared/base/errors.ts";
import { sourceOf } from "../limits/ip_network.ts";
import type { Invite } from "../limits/invites.ts";
import type { InviteRequest, Inviting, MintedInvite } from "../session/session_host.ts";
import type { Session } from "../session/session.ts";
import type { Counters } from "../telemetry/counters.ts";
import type { Access } from "./access.ts";

/** What deciding about invites needs. */
export interface InvitingParts {
  readonly access: Access;
  readonly counters: Counters;
  readonly log: Logger;
  /** Whether the operator allows invites. */
  readonly isAllowed: () => boolean;
  /** Where others reach the server; undefined where it does not know. */
  readonly advertised: () => ServerConfig["advertise"];
}

/** The invites of one server, as its members ask for them. */
export class InviteDesk implements Inviting<Session> {
  readonly #parts: InvitingParts;

  constructor(parts: InvitingParts) {
    this.#parts = parts;
  }

  async mint(session: Session, { title, seconds, uses }: InviteRequest): Promise<MintedInvite> {
    const { access, counters, log, advertised } = this.#parts;
    const token = this.#tokenOf(session, "make an invite");
    const { id: client, address, memberships, wantedName } = session;
    const now = Date.now();
    const minted = await access.invites.mint({
      maker: {
        client,
        name: memberships[0]?.name ?? wantedName,
        source: sourceOf(address),
        token,
      },
      title,
      until: now + seconds * 1_000,
      uses: uses === 0 ? undefined : uses,
    }, now);
    counters.invitesMade++;
    log.info("audit", { by: client, what: "invite", invite: minted.invite.number, seconds, uses });
    const place = advertised();
    return { ...minted, place: place === undefined ? null : [place.host, place.port] };
  }

  list(session: Session): readonly Invite[] {
    const token = this.#tokenOf(session, "list invites");
    return this.#parts.access.invites.of(token, Date.now());
  }

  async revoke(session: Session, number: number): Promise<void> {
    const token = this.#tokenOf(session, "end an invite");
    await this.#parts.access.invites.revoke(number, token);
    this.#parts.log.info("audit", { by: session.id, what: "uninvite", invite: number });
  }

  /** The digest of the token by which a session may do that. Throws LimitError. */
  #tokenOf(session: Session, what: string): Uint8Array {
    const { access, isAllowed } = this.#parts;
    // Where no token is needed, there is nothing that could end, whatever the operator allows.
    if (!access.hasTokens) {
      throw new LimitError(
        `Cannot ${what}: this server needs no token, so the link of /invite alone lets people in`,
      );
    }
    if (!isAllowed()) {
      throw new LimitError(`Cannot ${what}: the server's admin does not allow it (--invites)`);
    }
    // No chains: who let somebody in answers for them, and for nobody further.
    if (access.inviteOf(session) !== undefined) {
      throw new LimitError(`Cannot ${what}: you joined with an invite yourself`);
    }
    const token = access.tokenOf(session);
    if (token === undefined) throw new LimitError(`Cannot ${what}: you joined without a token`);
    return token;
  }
}
