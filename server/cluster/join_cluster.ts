// Joins the cluster that the options name, or none.

import type { Logger } from "@logtape/logtape";
import { ConfigError } from "../../shared/base/errors.ts";
import { randomSlot } from "./client_numbers.ts";
import { Cluster } from "./cluster.ts";
import { ClusterKey, parseClusterSecret } from "./cluster_key.ts";
import type { NatsOptions } from "./nats_backplane.ts";
import type { ServerConfig } from "../config/server_options.ts";
import { faultText } from "../telemetry/log.ts";
import { readPem } from "../config/tls_files.ts";

/** A cluster that was joined. */
export interface JoinedCluster {
  readonly cluster: Cluster;
  /** Leaves it. */
  close(): Promise<void>;
}

/** What happens around a cluster. */
export interface ClusterContext {
  readonly env: (name: string) => string | undefined;
  readonly log: Logger;
  /** Tells every client one line. */
  readonly tellAll: (text: string) => void;
}

/** Joins the cluster of --nats; undefined without it. Throws ConfigError. */
export async function joinCluster(
  config: ServerConfig,
  { env, log, tellAll }: ClusterContext,
): Promise<JoinedCluster | undefined> {
  const { nats: servers } = config;
  if (servers === undefined) return undefined;
  const secret = env("CMDCHAT_CLUSTER_KEY");
  if (secret === undefined || secret === "") {
    throw new ConfigError("Cannot join other servers: CMDCHAT_CLUSTER_KEY is not set", {
      hint: "the same on all servers: openssl rand -base64 32 | tr '+/' '-_' | tr -d =",
    });
  }
  let joined: Cluster | undefined;
  const key = new ClusterKey(parseClusterSecret(secret));
  const onState = (up: boolean) => {
    // NATS is reached for the first time before there is a cluster.
    if (up) joined?.sealed.allAgain();
    log.warning(up ? "NATS is reached again" : "NATS cannot be reached");
    tellAll(
      up
        ? "The other servers are reached again."
        : "The other servers cannot be reached: what you send waits until they are.",
    );
  };
  // NATS costs 100 ms of start-up, which only those pay who use it.
  const { openNats } = await import("./nats_backplane.ts");
  const backplane = await openNats({
    servers,
    replicas: config["nats-replicas"],
    onState,
    tls: tlsOf(config),
    user: env("CMDCHAT_NATS_USER"),
    password: env("CMDCHAT_NATS_PASSWORD"),
    token: env("CMDCHAT_NATS_TOKEN"),
    nkey: env("CMDCHAT_NATS_NKEY"),
  });
  const cluster = joined = new Cluster({
    backplane,
    key,
    slot: randomSlot(),
    holdMs: config.hold * 1_000,
    onFault: (error) => log.error("unexpected fault", { stack: faultText(error) }),
    onServers: (what, others) => log.info(`another server was ${what}`, { others }),
  });
  return { cluster, close: () => backplane.close() };
}

function tlsOf(config: ServerConfig): NatsOptions["tls"] {
  const { "nats-ca": ca, "nats-certfile": cert, "nats-keyfile": key } = config;
  if ((cert === undefined) !== (key === undefined)) {
    throw new ConfigError(
      "Cannot use --nats-certfile and --nats-keyfile: both are wanted, or none",
    );
  }
  if (ca === undefined && cert === undefined) return undefined;
  const certificate = /-----BEGIN CERTIFICATE-----/;
  return {
    ...(ca === undefined ? {} : { ca: readPem("--nats-ca", ca, certificate, "a certificate") }),
    ...(cert === undefined
      ? {}
      : { cert: readPem("--nats-certfile", cert, certificate, "a certificate") }),
    ...(key === undefined
      ? {}
      : { key: readPem("--nats-keyfile", key, /PRIVATE KEY-----/, "a private key") }),
  };
}
