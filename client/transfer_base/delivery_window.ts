// How much of a file may be on its way before the other side has said that it came. The window is measured, so that a
// line that is typed during a transfer waits a moment and not for what the connection's buffers hold. It follows the
// model of BBR (draft-ietf-ccwg-bbr): the largest rate of late times the smallest delay seen, and a small queue on top
// of that. Where the way takes longer because a queue builds up, the window does not grow with it.

/** Ms of queue that a transfer may build up on the slowest part of the way. */
const QUEUE_MS = 150;
/** Of so many measured rates the largest counts. */
const RATES_KEPT = 10;

/** Bounds of a window. */
export interface DeliveryWindowOptions {
  /** Milliseconds of any monotonic clock. */
  readonly now: () => number;
  /** Most chunks on their way. */
  readonly most: number;
}

interface Flight {
  readonly sentAt: number;
  /** Chunks that had come when it was sent. */
  readonly came: number;
  readonly onCame: () => void;
}

/** Chunks on their way, by any key of theirs. */
export class DeliveryWindow {
  readonly #options: DeliveryWindowOptions;
  readonly #flights = new Map<string, Flight>();
  #rates: number[] = [];
  #shortestMs = Infinity;
  #came = 0;
  #size = 2;
  #change = Promise.withResolvers<void>();

  constructor(options: DeliveryWindowOptions) {
    this.#options = options;
  }

  /** How many chunks may be on their way. */
  get size(): number {
    return this.#size;
  }

  /** Whether one more may leave. */
  get hasRoom(): boolean {
    return this.#flights.size < this.#size;
  }

  /** Resolves when something came, or was forgotten. */
  get changed(): Promise<void> {
    return this.#change.promise;
  }

  /** A chunk leaves, or is asked for; `onCame`: it came. */
  sent(key: string, onCame: () => void = () => {}): void {
    this.#flights.set(key, { sentAt: this.#options.now(), came: this.#came, onCame });
  }

  /** It came. */
  came(key: string): void {
    const flight = this.#flights.get(key);
    if (flight !== undefined) this.#confirm([[key, flight]], flight);
  }

  /** It came, and so did all that left before it. */
  cameUpTo(key: string): void {
    const flight = this.#flights.get(key);
    if (flight === undefined) return;
    const all = [...this.#flights];
    this.#confirm(all.slice(0, all.findIndex(([other]) => other === key) + 1), flight);
  }

  /** These came; `flight` is the last one. */
  #confirm(flights: readonly (readonly [string, Flight])[], flight: Flight): void {
    for (const [key] of flights) this.#flights.delete(key);
    this.#came += flights.length;
    const ms = Math.max(this.#options.now() - flight.sentAt, 0.01);
    this.#shortestMs = Math.min(this.#shortestMs, ms);
    this.#rates = [...this.#rates, (this.#came - flight.came) / ms].slice(-RATES_KEPT);
    const chunks = Math.max(...this.#rates) * (this.#shortestMs + QUEUE_MS);
    this.#size = Math.min(this.#options.most, Math.max(1, Math.floor(chunks)));
    this.#changed();
    for (const [, { onCame }] of flights) onCame();
  }

  /** Nothing of what is on its way, or of these, counts any longer; what was measured does. */
  forget(keys: Iterable<string> = [...this.#flights.keys()]): void {
    for (const key of keys) this.#flights.delete(key);
    this.#changed();
  }

  #changed(): void {
    this.#change.resolve();
    this.#change = Promise.withResolvers();
  }
}
