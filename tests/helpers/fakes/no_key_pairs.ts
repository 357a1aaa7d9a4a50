// A platform that cannot make RSA key pairs for a while.

/** Runs `act` without key pairs, and gives what rejections nobody had handled when the event loop had turned. */
export async function withoutKeyPairs<T>(
  act: () => T | Promise<T>,
): Promise<{ readonly result: T; readonly unhandled: readonly string[] }> {
  const { subtle } = crypto;
  const { generateKey } = subtle;
  const unhandled: string[] = [];
  const note = (event: PromiseRejectionEvent) => {
    event.preventDefault();
    unhandled.push(`${event.reason}`);
  };
  addEventListener("unhandledrejection", note);
  const failing = () => Promise.reject(new Error("no keys today"));
  Object.defineProperty(subtle, "generateKey", { value: failing, configurable: true });
  try {
    const result = await act();
    await new Promise((resolve) => setTimeout(resolve, 0));
    return { result, unhandled };
  } finally {
    Object.defineProperty(subtle, "generateKey", { value: generateKey, configurable: true });
    removeEventListener("unhandledrejection", note);
  }
}
