// The certificate of a server, read even where it is not trusted: for `doctor` only, which has to say what is wrong with
// it. Nothing is sent over such a connection.

import { isIP } from "node:net";
import { checkServerIdentity, connect, type DetailedPeerCertificate } from "node:tls";
import { tlsName } from "../../shared/text/host_and_port.ts";
import type { Endpoint } from "./endpoint.ts";
import { ConnectionError } from "../../shared/base/errors.ts";
import { dialNode } from "./tunnel.ts";
import { connectionFault } from "./connection_faults.ts";

/** What a certificate says. */
export interface CertificateFacts {
  readonly validFrom: Date;
  readonly validTo: Date;
  /** Whether it is for the name that was asked for. */
  readonly fitsName: boolean;
  /** Names in it, for people. */
  readonly names: string;
  /** Whether an authority issued it whose own certificate the server does not send. */
  readonly lacksIssuer: boolean;
}

/** Reads the certificate. Throws ConnectionError. */
export async function readCertificate(
  endpoint: Endpoint,
  signal: AbortSignal,
): Promise<CertificateFacts> {
  const host = tlsName(endpoint.host);
  const raw = await dialNode(endpoint, signal).catch((cause) => {
    throw cause instanceof ConnectionError ? cause : connectionFault(endpoint, cause);
  });
  const socket = connect({
    socket: raw,
    rejectUnauthorized: false,
    ...(isIP(host) === 0 ? { servername: host } : {}),
  });
  const abort = () => socket.destroy(new Error("timed out"));
  signal.addEventListener("abort", abort);
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once("secureConnect", resolve);
      socket.once("error", reject);
      if (signal.aborted) abort();
    });
    return factsOf(socket.getPeerCertificate(true), host);
  } catch (cause) {
    throw connectionFault(endpoint, cause);
  } finally {
    signal.removeEventListener("abort", abort);
    socket.destroy();
    raw.destroy();
  }
}

function factsOf(certificate: DetailedPeerCertificate, host: string): CertificateFacts {
  return {
    validFrom: new Date(certificate.valid_from),
    validTo: new Date(certificate.valid_to),
    fitsName: checkServerIdentity(host, certificate) === undefined,
    names: (certificate.subjectaltname ?? "").replaceAll(/DNS:|IP Address:/g, "") || "none",
    lacksIssuer: certificate.issuerCertificate === undefined &&
      certificate.infoAccess?.["CA Issuers - URI"] !== undefined,
  };
}
