// The servers of others that rows compare with.

import type { BrokerKind } from "./broker.ts";
import { MOSQUITTO } from "./mosquitto.ts";
import { NATS } from "./nats.ts";
import { NGIRCD } from "./ngircd.ts";

/** Every reference that fans out messages. */
export const BROKERS: readonly BrokerKind[] = [NATS, NGIRCD, MOSQUITTO];
