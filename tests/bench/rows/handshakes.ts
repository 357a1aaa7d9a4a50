// Row handshakes: fresh clients a second up to the server's answer, while members talk.

import { makeCertificate } from "../../helpers/system/certificates.ts";
import { pause, type Size } from "../load/load.ts";
import { Talkers } from "../load/talkers.ts";
import { type Listening, startListening, startProgram, startRelay } from "../processes.ts";
import { quantile, type Row } from "../row.ts";

const SIZES = {
  // As many of ours as it takes to hear some hundred lines meanwhile.
  full: { atOnce: 16, handshakes: 20_000, rawHandshakes: 6_000, quietMs: 5_000 },
  tiny: { atOnce: 2, handshakes: 100, rawHandshakes: 100, quietMs: 100 },
} as const;

// A quiet line takes so little that twice of it is within the noise of a machine with two cores.
const NOISE_MS = 20;

/** Measures the row. */
export async function handshakes(size: Size): Promise<Row> {
  const amount = SIZES[size];
  await using certificate = await makeCertificate();
  const { certFile, keyFile } = certificate;
  const raw = await throughRawTls({ certFile, keyFile }, {
    ...amount,
    handshakes: amount.rawHandshakes,
  });
  await using server = await startRelay();
  const talkers = await Talkers.join(server.port);
  const quiet = await talkers.talkUntil(pause(amount.quietMs));
  const measuring = measure(server, amount);
  const busy = await talkers.talkUntil(measuring);
  const ours = await measuring;
  talkers.close();
  const [before, meanwhile] = [quantile(quiet, 0.99), quantile(busy, 0.99)];
  return {
    row: "handshakes",
    value: ours.rate,
    unit: "handshakes/s",
    reference: "TLS 1.3 handshakes of Deno's own listener",
    referenceValue: raw.rate,
    goal: { of: "value", limit: 2_000, better: "more" },
    conditions: [{
      text: `p99 of a line between two members: ${meanwhile.toFixed(1)} ms meanwhile, ` +
        `${before.toFixed(1)} ms before; at most twice as much, or ${NOISE_MS} ms`,
      met: meanwhile <= Math.max(2 * before, NOISE_MS),
    }],
    notes: [
      `${amount.handshakes} handshakes of session v2, ${amount.atOnce} at a time: X25519, ML-KEM-768, RSA and Ed25519`,
      `${busy.length} lines meanwhile, the slowest took ${Math.max(...busy).toFixed(1)} ms`,
      `CPU time of the server for each: ${ours.cpuMs.toFixed(2)} ms, TLS ${
        raw.cpuMs.toFixed(2)
      } ms`,
    ],
  };
}

interface Amount {
  readonly atOnce: number;
  readonly handshakes: number;
}

async function throughRawTls(
  { certFile, keyFile }: { readonly certFile: string; readonly keyFile: string },
  amount: Amount,
): Promise<Measured> {
  await using server = await startListening({
    path: "tests/bench/references/raw_tls_acceptor.ts",
    args: [certFile, keyFile],
  });
  return await measure(server, amount, [certFile]);
}

interface Measured {
  /** Handshakes a second. */
  readonly rate: number;
  /** Of the server, for each. */
  readonly cpuMs: number;
}

async function measure(
  server: Listening,
  { atOnce, handshakes }: Amount,
  certificate: readonly string[] = [],
): Promise<Measured> {
  await using load = startProgram({
    path: "tests/bench/load/hellos.ts",
    args: [`${server.port}`, `${atOnce}`, ...certificate],
  });
  // The first hundred warm both sides up.
  await load.until(/done 100\./);
  const [start, cpuBefore] = [performance.now(), server.cpuMs()];
  await load.until(new RegExp(`done ${100 + handshakes}\\.`));
  const seconds = (performance.now() - start) / 1_000;
  return { rate: handshakes / seconds, cpuMs: (server.cpuMs() - cpuBefore) / handshakes };
}
