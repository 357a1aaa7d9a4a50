// Clients that are on their way from another server to this one.

/** What is said to one of them alone waits until it is here. */
export class Arrivals {
  readonly #expected = new Map<number, Promise<void>>();

  /** A client is expected until the returned function is called. */
  expect(client: number): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#expected.set(client, promise);
    return () => {
      if (this.#expected.get(client) === promise) this.#expected.delete(client);
      resolve();
    };
  }

  /** Resolves when a client is here, or is not coming; undefined where it is not expected. */
  of(client: number): Promise<void> | undefined {
    return this.#expected.get(client);
  }
}
