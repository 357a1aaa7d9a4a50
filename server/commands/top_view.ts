// The screen of `cmdchat-server top`, from samples of a server's metrics. Text in, text out.

import { formatBytes } from "../../shared/text/byte_size.ts";
import { byLabel, quantile, type Samples } from "../telemetry/prometheus_reader.ts";

const SPARKS = "▁▂▃▄▅▆▇█";

// The narrowest terminal that is still common.
const WIDTH = 80;

/** Samples that a graph shows. */
export const GRAPH_LOOKS = 40;

/** The metrics of one moment. */
export interface Look {
  readonly samples: Samples;
  /** Monotonic ms. */
  readonly at: number;
}

/** All rows for the samples so far, oldest first. */
export function topRows(looks: readonly Look[], where: string): string[] {
  const now = looks.at(-1);
  if (now === undefined) return [`cmdchat-server at ${where}: no answer yet`];
  const { samples } = now;
  const value = (name: string) => samples.get(name) ?? 0;
  const rate = (name: string) => rates(looks, name);
  const rows = [
    `cmdchat-server ${version(samples)} at ${where}   up ${uptime(samples)}${
      value("cmdchat_stopping") === 1 ? "   STOPPING" : ""
    }`,
    "",
    row("connections", count(value("cmdchat_connections"))),
    row("members", kinds(samples, "cmdchat_members")),
    row("rooms", kinds(samples, "cmdchat_rooms")),
    row("handshakes", kinds(samples, "cmdchat_handshakes_total", true)),
    "",
    graphRow("in, messages/s", rate("cmdchat_messages_received_total")),
    graphRow("out, messages/s", rate("cmdchat_messages_sent_total")),
    row(
      "in, out",
      `${perSecond(rate("cmdchat_received_bytes_total"))}, ${
        perSecond(rate("cmdchat_sent_bytes_total"))
      }`,
    ),
    row("waiting", formatBytes(value("cmdchat_outbox_bytes"))),
    "",
    row("delivery", times(looks, "cmdchat_delivery_seconds")),
    row("loop lag", times(looks, "cmdchat_event_loop_lag_seconds")),
    row(
      "memory",
      `${formatBytes(value("process_resident_memory_bytes"))}, heap ${
        formatBytes(value("cmdchat_heap_used_bytes"))
      }`,
    ),
    "",
    row("closed", closed(samples)),
  ];
  return rows.map((text) => clip(text, WIDTH));
}

/** `rows` and below them `last`, in a terminal of this size: blank rows go first, then what is lowest. */
export function fitRows(
  rows: readonly string[],
  last: string,
  { columns, rows: height }: { readonly columns: number; readonly rows: number },
): string[] {
  const spaced = [...rows, ""];
  const above = spaced.length < height ? spaced : spaced.filter((text) => text !== "");
  return [...above.slice(0, Math.max(0, height - 1)), last].map((text) => clip(text, columns));
}

function clip(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
}

function row(title: string, text: string): string {
  return `${title.padEnd(17)}${text}`;
}

function graphRow(title: string, values: readonly number[]): string {
  return row(title, `${count(values.at(-1) ?? 0).padStart(9)}  ${graph(values)}`);
}

/** A graph of one character a value, scaled to the largest. */
export function graph(values: readonly number[]): string {
  const most = Math.max(...values, 0);
  return values.map((value) =>
    SPARKS[most === 0 ? 0 : Math.min(Math.floor(value / most * SPARKS.length), SPARKS.length - 1)]
  ).join("");
}

function rates(looks: readonly Look[], name: string): number[] {
  return looks.slice(1).map((look, index) => {
    const before = looks[index] as Look;
    const grown = (look.samples.get(name) ?? 0) - (before.samples.get(name) ?? 0);
    // A restarted server counts from 0 again.
    return Math.max(grown, 0) / Math.max((look.at - before.at) / 1_000, 0.001);
  });
}

function kinds(samples: Samples, family: string, onlyCounted = false): string {
  const shown = byLabel(samples, family).filter(([, number]) => !onlyCounted || number > 0);
  return shown.map(([kind, number]) => `${count(number)} ${kind}`).join(", ") || "none";
}

function times(looks: readonly Look[], family: string): string {
  const now = (looks.at(-1) as Look).samples;
  const shown = (share: number) => {
    const bound = quantile(now, looks.at(-2)?.samples, { family, share });
    if (bound === undefined) return "-";
    return bound === Infinity ? "above all bounds" : `${Number((bound * 1_000).toPrecision(3))} ms`;
  };
  return `half within ${shown(0.5)}, 99 of 100 within ${shown(0.99)}`;
}

function closed(samples: Samples): string {
  const number = (name: string) => count(samples.get(`cmdchat_${name}_total`) ?? 0);
  return `${number("slow_closed")} slow, ${number("silent_closed")} silent, ` +
    `${number("protocol_errors")} for faults, ${number("connections_refused")} over a cap`;
}

function version(samples: Samples): string {
  return byLabel(samples, "cmdchat_build_info")[0]?.[0] ?? "";
}

function uptime(samples: Samples): string {
  const seconds = Math.floor(samples.get("cmdchat_uptime_seconds") ?? 0);
  const [days, hours, minutes] = [86_400, 3_600, 60].map((unit) => Math.floor(seconds / unit));
  if ((days ?? 0) > 0) return `${days} d ${(hours ?? 0) % 24} h`;
  if ((hours ?? 0) > 0) return `${hours} h ${(minutes ?? 0) % 60} min`;
  return (minutes ?? 0) > 0 ? `${minutes} min ${seconds % 60} s` : `${seconds} s`;
}

function perSecond(values: readonly number[]): string {
  return `${formatBytes(Math.round(values.at(-1) ?? 0))}/s`;
}

function count(value: number): string {
  return value >= 100 || Number.isInteger(value) ? String(Math.round(value)) : value.toFixed(1);
}
