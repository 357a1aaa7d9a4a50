// What the value of an option may look like. Each parser throws UsageError that says what it must be.

import { UsageError } from "../base/errors.ts";
import type { Rate } from "../base/rate.ts";
import { formatBytes } from "../text/byte_size.ts";

const SIZE_UNITS: Readonly<Record<string, number>> = {
  "": 1,
  b: 1,
  k: 1_024,
  kb: 1_024,
  kib: 1_024,
  m: 1_048_576,
  mb: 1_048_576,
  mib: 1_048_576,
  g: 1_073_741_824,
  gb: 1_073_741_824,
  gib: 1_073_741_824,
};

/** A parser of whole numbers from `min` to `max`. */
export function integer(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
    if (!(value >= min && value <= max)) {
      throw new UsageError(`it must be a whole number from ${min} to ${max}`);
    }
    return value;
  };
}

/** A parser of times in seconds, such as `90`, `90s`, `5m` or `2h`, from `min` to `max` seconds. */
export function seconds(min: number, max: number): (text: string) => number {
  return (text) => {
    const [, count, unit = "s"] = /^(\d{1,9})([smh])?$/.exec(text) ?? [];
    const value = Number(count) * (unit === "h" ? 3_600 : unit === "m" ? 60 : 1);
    if (!(value >= min && value <= max)) {
      throw new UsageError(`it must be a time from ${min} to ${max} seconds, such as 90, 5m or 2h`);
    }
    return value;
  };
}

/** A parser of sizes in bytes, such as `4096`, `4KiB` or `10MiB`, from `min` to `max`. */
export function bytes(min: number, max: number): (text: string) => number {
  return (text) => {
    const match = /^(\d{1,12})\s*([a-z]*)$/i.exec(text);
    const value = Number(match?.[1]) * (SIZE_UNITS[match?.[2]?.toLowerCase() ?? "?"] ?? NaN);
    if (!(value >= min && value <= max)) {
      throw new UsageError(
        `it must be a size from ${formatBytes(min)} to ${
          formatBytes(max)
        }, such as 4096, 4KiB or 10MiB`,
      );
    }
    return value;
  };
}

/** A parser that also takes `off`, as undefined. */
export function orOff<T>(parse: (text: string) => T): (text: string) => T | undefined {
  return (text) => {
    if (text.toLowerCase() === "off") return undefined;
    try {
      return parse(text);
    } catch (error) {
      if (error instanceof UsageError) throw new UsageError(`${error.message}, or off`);
      throw error;
    }
  };
}

/** A list of words, separated by commas. */
export function commaList(text: string): readonly string[] {
  const words = text.split(",").map((word) => word.trim());
  if (words.includes("")) throw new UsageError("it must be words, separated by commas");
  return words;
}

/** A parser of one word out of `words`, whatever its case. */
export function oneOf<const W extends string>(words: readonly W[]): (text: string) => W {
  return (text) => {
    const found = words.find((word) => word.toLowerCase() === text.toLowerCase());
    if (found === undefined) throw new UsageError(`it must be one of ${words.join(", ")}`);
    return found;
  };
}

/** Parses `12/5`: 12 messages in 5 seconds. */
export function rate(text: string): Rate {
  const match = /^(\d{1,6})\/(\d{1,4})$/.exec(text);
  const [messages, seconds] = [Number(match?.[1]), Number(match?.[2])];
  if (!(messages >= 1 && seconds >= 1 && seconds <= 3_600)) {
    throw new UsageError("it must be messages/seconds, such as 12/5");
  }
  return { messages, seconds };
}

/** A switch: set by its name alone, or by 1, 0, true, false, yes, no in the environment. */
export function toggle(text: string): boolean {
  if (/^(1|true|yes|on)$/i.test(text)) return true;
  if (/^(0|false|no|off)$/i.test(text)) return false;
  throw new UsageError("it must be 1 or 0");
}

/** Any text that is not empty. */
export function word(text: string): string {
  if (text.length === 0) throw new UsageError("it is empty");
  return text;
}
