// Times as people type them: `2h`, `yesterday`, `2026-11-25`, `2026-11-25 14:30`, `2026-11-25T13:30:00Z`.

import { UsageError } from "../../shared/base/errors.ts";

/** A stretch of time in ms since 1970: from `start` up to, and without, `end`. */
export interface TimeSpan {
  readonly start: number;
  readonly end: number;
}

/** What was typed, as soon as it is known what time it is. */
export type Moment = (now: Date) => TimeSpan;

const UNITS: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};
const AGO = /^(\d{1,6})([smhdw])$/;
const DATE = /^(\d{4})-(\d\d)-(\d\d)$/;
const DATE_TIME = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(:\d\d)?(\.\d+)?(Z|[+-]\d\d:\d\d)?$/;

/** Reads a time; a day without a time is the whole day here, a time without a zone is one here. Throws UsageError. */
export function parseMoment(text: string): Moment {
  const [, count, unit = ""] = AGO.exec(text) ?? [];
  if (count !== undefined) {
    return (now) => point(now.getTime() - Number(count) * (UNITS[unit] ?? 0), 1);
  }
  if (text === "today") return (now) => dayOf(now, 0);
  if (text === "yesterday") return (now) => dayOf(now, -1);
  const [, year, month, day] = DATE.exec(text) ?? [];
  if (year !== undefined) {
    const date = new Date(Number(year), Number(month) - 1, Number(day));
    // 2026-02-30 would quietly be the second of March.
    if (date.getMonth() === Number(month) - 1 && date.getDate() === Number(day)) {
      return () => dayOf(date, 0);
    }
  }
  const [, date, time, seconds, fraction = "", zone = ""] = DATE_TIME.exec(text) ?? [];
  const at = Date.parse(`${date}T${time}${seconds ?? ":00"}${fraction}${zone}`);
  if (date !== undefined && !Number.isNaN(at)) {
    const length = seconds === undefined ? 60_000 : fraction === "" ? 1_000 : 1;
    return () => point(at, length);
  }
  throw new UsageError("expected a time such as 2h, yesterday, 2026-11-25 or 2026-11-25T14:30");
}

function point(start: number, length: number): TimeSpan {
  return { start, end: start + length };
}

function dayOf(date: Date, offset: number): TimeSpan {
  const midnight = (more: number) =>
    new Date(date.getFullYear(), date.getMonth(), date.getDate() + offset + more).getTime();
  return { start: midnight(0), end: midnight(1) };
}
