// Joins the cluster that the options name, or none.

import type { Logger } from "@logtape/logtape";
import { ConfigError } from "../../shared/base/errors.ts";
import { randomSlot } from "../cluster/client_numbers.ts";
import { Cluster } from "../cluster/cluster.ts";
import type { Mismatch } from "../cluster/cluster_contract.ts";
import { ClusterKey, parseClusterSecret } from "../cluster/cluster_key.ts";
import type { NatsOptions, NatsTls } from "./nats_options.ts";
import { STREAM_BYTES } from "../config/limits.ts";
import type { ServerConfig } from "../config/server_options.ts";
import { faultText } from "../telemetry/log.ts";
import { RepeatLog } from "../telemetry/repeat_log.ts";
import { readSecretVariable } from "../config/secret_file.ts";
import { readPem } from "../config/tls_files.ts";

/** A cluster that was joined. */
export interface JoinedCluster {
  readonly cluster: Cluster;
  /** Leaves it. */
  close(): Promise<void>;
}

/** What happens around a cluster. */
export interface ClusterContext {
  /** An empty variable counts as not set. */
  readonly env: (name: string) => string | undefined;
  readonly log: Logger;
  /** Fingerprint of this server's identity. */
  readonly identity: string;
  /** Tells every client one line. */
  readonly tellAll: (text: string) => void;
  /** NATS is not there yet, and the start waits for it. */
  readonly onWaiting: () => void;
}

/** Joins the cluster of --nats; undefined without it. Waits until NATS is there. Throws ConfigError. */
export async function joinCluster(
  config: ServerConfig,
  { env, log, identity, tellAll, onWaiting }: ClusterContext,
): Promise<JoinedCluster | undefined> {
  const { nats: servers } = config;
  if (servers === undefined) return undefined;
  const key = new ClusterKey(clusterSecret(env));
  const refusals = new RepeatLog({
    report: (kind, count, reason) =>
      log.warning("NATS refused an operation", { kind, count, reason }),
  });
  const troubles = new RepeatLog({
    report: (reason, count) => log.warning("NATS still cannot be used", { reason, count }),
  });
  const mismatches = new RepeatLog({
    report: (what, count) => log.warning(MISMATCHES[what as Mismatch], { count }),
  });
  const losses = new RepeatLog({
    report: (what, count) =>
      log.warning(`${what} are missing from NATS, this server puts back what it knows`, { count }),
  });
  let joined: Cluster | undefined;
  let told = "";
  // NATS costs 100 ms of start-up, which only those pay who use it.
  const { openNats } = await import("./nats_backplane.ts");
  const backplane = await openNats(natsOptions(config, servers, env), {
    onWaiting(reason) {
      if (reason !== told) log.warning("waiting for NATS", { reason });
      told = reason;
      onWaiting();
    },
    onState(isUp, reason) {
      if (isUp) log.warning("NATS is reached again");
      else log.error("NATS cannot be reached", { reason });
      tellAll(isUp ? REACHED : UNREACHABLE);
    },
    onTrouble: (reason) => troubles.note(reason),
    onReconnected: () => joined?.sealed.allAgain(),
    onRefused: (kind, reason) => refusals.note(kind, reason),
  });
  const cluster = joined = new Cluster({
    backplane,
    key,
    slot: randomSlot(),
    identity,
    onRoomLost: () => losses.note("rooms"),
    onMismatch: (what) => mismatches.note(what),
    holdMs: config.hold * 1_000,
    onFault: (error) => log.error("unexpected fault", { stack: faultText(error) }),
    onServers: (what, others) => log.info(`another server was ${what}`, { others }),
  });
  return { cluster, close: () => backplane.close() };
}

/** Checks what `joinCluster` would read; connects to nobody. Throws ConfigError. */
export async function checkCluster(
  config: ServerConfig,
  env: ClusterContext["env"],
): Promise<void> {
  if (config.nats === undefined) return;
  clusterSecret(env);
  const { connectionOptions } = await import("./nats_options.ts");
  connectionOptions(natsOptions(config, config.nats, env));
}

const MISMATCHES: Readonly<Record<Mismatch, string>> = {
  key: "somebody on this NATS has another CMDCHAT_CLUSTER_KEY",
  identity: "another server of the cluster has another identity",
};
const REACHED = "The other servers are reached again.";
const UNREACHABLE = "The other servers cannot be reached: what you send waits until they are.";

function clusterSecret(env: ClusterContext["env"]): Uint8Array {
  const secret = readSecretVariable(env, "CMDCHAT_CLUSTER_KEY");
  if (secret !== undefined) return parseClusterSecret(secret);
  throw new ConfigError("Cannot join other servers: CMDCHAT_CLUSTER_KEY is not set", {
    hint: "the same on all servers: openssl rand -base64 32 | tr '+/' '-_' | tr -d =",
  });
}

function natsOptions(
  config: ServerConfig,
  servers: string,
  env: ClusterContext["env"],
): NatsOptions {
  return {
    servers,
    replicas: config["nats-replicas"],
    streamBytes: STREAM_BYTES,
    tls: tlsOf(config),
    user: readSecretVariable(env, "CMDCHAT_NATS_USER"),
    password: readSecretVariable(env, "CMDCHAT_NATS_PASSWORD"),
    token: readSecretVariable(env, "CMDCHAT_NATS_TOKEN"),
    nkey: readSecretVariable(env, "CMDCHAT_NATS_NKEY"),
  };
}

function tlsOf(config: ServerConfig): NatsTls | undefined {
  const { "nats-ca": ca, "nats-certfile": cert, "nats-keyfile": key } = config;
  if ((cert === undefined) !== (key === undefined)) {
    throw new ConfigError("Cannot use --nats-certfile and --nats-keyfile: give both, or neither");
  }
  if (ca === undefined && cert === undefined) return undefined;
  const certificate = (option: string, path: string) =>
    readPem({ option, path, wanted: /-----BEGIN CERTIFICATE-----/, what: "a certificate" });
  const option = "--nats-keyfile";
  const what = "a private key";
  return {
    ...(ca === undefined ? {} : { ca: certificate("--nats-ca", ca) }),
    ...(cert === undefined ? {} : { cert: certificate("--nats-certfile", cert) }),
    ...(key === undefined
      ? {}
      : { key: readPem({ option, path: key, wanted: /PRIVATE KEY-----/, what, isSecret: true }) }),
  };
}
