// One line of `cmdchat-client doctor`: what was checked, the result, and what to do.

import { CmdchatError } from "../../shared/base/errors.ts";
import { sanitizeLine } from "../../shared/base/sanitize.ts";
import { jsonLine } from "../render/json.ts";

/** How something is; `skip`: it could not be looked at, because of what stands above. */
export type CheckState = "ok" | "warn" | "fail" | "skip";

/** What was found. */
export interface Check {
  readonly check: string;
  readonly state: CheckState;
  readonly text: string;
  /** What to do about it. */
  readonly hint?: string | undefined;
  /** Exit code of a `fail`. */
  readonly code?: number;
}

/** All is well. */
export function ok(check: string, text: string): Check {
  return { check, state: "ok", text };
}

/** It works, and may not be what the user wants. */
export function warn(check: string, text: string, hint: string): Check {
  return { check, state: "warn", text, hint };
}

/** It was not looked at. */
export function skip(check: string, text: string): Check {
  return { check, state: "skip", text };
}

/** It does not work: the error says why. Throws on what is a bug. */
export function failed(check: string, error: unknown): Check {
  if (!(error instanceof CmdchatError)) throw error;
  const { message, hint, exitCode } = error;
  // The name of the check already says what was tried.
  const text = message.replace(
    /^Cannot (?:connect to|join the server)[^:]*(?::\d+"|"[^"]*")?: /,
    "",
  );
  return { check, state: "fail", text, hint, code: exitCode };
}

const NAME_WIDTH = 12;

/** The line for people, and below it what to do. */
export function checkText({ check, state, text, hint }: Check): string {
  const line = `${state.padEnd(5)} ${check.padEnd(NAME_WIDTH)} ${sanitizeLine(text)}`;
  return hint === undefined ? line : `${line}\n${" ".repeat(6)}hint: ${sanitizeLine(hint)}`;
}

/** The line for programs. */
export function checkJson({ check, state, text, hint }: Check, time: string): string {
  return jsonLine({ kind: "check", time, check, state, text, hint });
}

/** Exit code of them all: that of the first that failed. */
export function checksExitCode(checks: readonly Check[]): number {
  return checks.find(({ state }) => state === "fail")?.code ?? 0;
}
