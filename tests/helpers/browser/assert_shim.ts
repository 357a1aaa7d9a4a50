// As much of node:assert/strict as tests use that run in a browser as well.

type Expected =
  | RegExp
  | (new (...given: never[]) => Error)
  | ((error: never) => boolean)
  | Readonly<Record<string, unknown>>
  | undefined;

function fail(message: string): never {
  throw new Error(message);
}

function show(value: unknown): string {
  return value instanceof Uint8Array
    ? `bytes ${[...value].join(" ")}`
    : String(JSON.stringify(value));
}

function isDeepEqual(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
  if (a instanceof Uint8Array && b instanceof Uint8Array) {
    return a.length === b.length && a.every((byte, at) => byte === b[at]);
  }
  if (a instanceof Map || a instanceof Set) {
    return isDeepEqual([...a], [...b as Iterable<unknown>]);
  }
  const [left, right] = [Object.entries(a), new Map(Object.entries(b))];
  return left.length === right.size &&
    left.every(([key, value]) => right.has(key) && isDeepEqual(value, right.get(key)));
}

function check(error: unknown, expected: Expected): void {
  if (expected === undefined) return;
  if (expected instanceof RegExp) return ok(expected.test(String(error)), String(error));
  if (typeof expected === "function") {
    const isClass = expected === Error || expected.prototype instanceof Error;
    const judge = expected as (error: unknown) => boolean;
    const fits = isClass ? error instanceof expected : judge(error);
    return ok(fits, String(error));
  }
  for (const [key, wanted] of Object.entries(expected)) {
    const value = (error as Record<string, unknown>)[key];
    if (wanted instanceof RegExp) ok(wanted.test(String(value)), `${key}: ${value}`);
    else deepEqual(value, wanted);
  }
}

function ok(value: unknown, message = "not true"): void {
  if (!value) fail(message);
}

function equal(actual: unknown, expected: unknown, message = ""): void {
  if (!Object.is(actual, expected)) fail(`${message} ${show(actual)} is not ${show(expected)}`);
}

function deepEqual(actual: unknown, expected: unknown, message = ""): void {
  if (!isDeepEqual(actual, expected)) fail(`${message} ${show(actual)} is not ${show(expected)}`);
}

export default {
  ok,
  equal,
  deepEqual,
  fail,
  notEqual: (a: unknown, b: unknown) => ok(!Object.is(a, b), `equal: ${show(a)}`),
  notDeepEqual: (a: unknown, b: unknown) => ok(!isDeepEqual(a, b), `equal: ${show(a)}`),
  match: (text: string, pattern: RegExp) => ok(pattern.test(text), `${text} is not ${pattern}`),
  doesNotMatch: (text: string, pattern: RegExp) => ok(!pattern.test(text), `${text} is ${pattern}`),
  throws(work: () => unknown, expected?: Expected): void {
    try {
      work();
    } catch (error) {
      return check(error, expected);
    }
    fail("nothing was thrown");
  },
  async rejects(
    work: Promise<unknown> | (() => Promise<unknown>),
    expected?: Expected,
  ): Promise<void> {
    try {
      await (typeof work === "function" ? work() : work);
    } catch (error) {
      return check(error, expected);
    }
    fail("nothing was rejected");
  },
};
