// A cluster's backplane in one process, whose connections fail when a test wants it.

import {
  type Backplane,
  ClusterLost,
  type EntryRefusal,
  EntryRefused,
  type Following,
  type LogSink,
} from "../../../server/cluster/backplane.ts";

interface Stored {
  readonly place: number;
  readonly body: Uint8Array;
}

/** What all servers of a test share. */
export class MemoryCluster {
  readonly logs = new Map<string, Stored[]>();
  readonly followers = new Set<{ readonly subject: string; wake: () => void; reset: () => void }>();
  readonly hearers = new Set<{ readonly subject: string; hear: (body: Uint8Array) => void }>();
  /** Whether compare-and-set lets a second one pass. */
  racy: () => boolean = () => false;
  limits = { entryBytes: 1_000_000, logBytes: 4_000_000 };
  /** Why appends are refused; undefined = they are not. */
  refusal: EntryRefusal | undefined;
  /** How many entries each log keeps. */
  keep = 512;
  /** How often a server asked for another connection. */
  renewals = 0;
  #place = 0;

  /** A server's connection; `fails` is asked before and after each append. */
  join(fails: () => boolean = () => false, delay: () => Promise<void> = async () => {}): Backplane {
    return {
      status: { isUp: true, reason: "", reconnects: 0, refused: {} },
      limits: this.limits,
      append: async (subject, body, last) => {
        await delay();
        if (fails()) throw new ClusterLost("before it was appended");
        if (this.refusal !== undefined) throw new EntryRefused(this.refusal);
        const place = this.append(subject, body, last);
        await delay();
        if (fails()) throw new ClusterLost("after it was appended");
        return place;
      },
      last: async (subject) => {
        await delay();
        if (fails()) throw new ClusterLost("asked for the last");
        return this.logs.get(subject)?.at(-1)?.place ?? 0;
      },
      first: async (subject) => {
        await delay();
        return this.logs.get(subject)?.at(0)?.place ?? 0;
      },
      follow: (subject, sink) => this.follow({ subject, sink, delay }),
      trim: async (subject, upTo) => {
        await delay();
        const log = this.logs.get(subject) ?? [];
        this.logs.set(subject, log.filter(({ place }) => place > upTo));
      },
      publish: (subject, body) => {
        for (const hearer of this.hearers) {
          if (hearer.subject === subject) delay().then(() => hearer.hear(body));
        }
      },
      subscribe: (subject, hear) => {
        const hearer = { subject, hear };
        this.hearers.add(hearer);
        return { close: () => void this.hearers.delete(hearer) };
      },
      renew: () => void this.renewals++,
      close: () => Promise.resolve(),
    };
  }

  append(subject: string, body: Uint8Array, last: number): number | undefined {
    const log = this.logs.get(subject) ?? [];
    const fits = (log.at(-1)?.place ?? 0) === last;
    // As nats-server 2.9 does in a cluster: what was true a moment ago is sometimes good enough.
    if (!fits && !(this.racy() && (log.at(-2)?.place ?? 0) === last)) return undefined;
    const place = ++this.#place;
    log.push({ place, body: body.slice() });
    while (log.length > this.keep) log.shift();
    this.logs.set(subject, log);
    for (const follower of this.followers) if (follower.subject === subject) follower.wake();
    return place;
  }

  /** All that was kept is gone, as after a restart of the whole bus. */
  forgetAll(): void {
    this.logs.clear();
    for (const follower of this.followers) follower.reset();
  }

  follow(
    { subject, sink, delay }: { subject: string; sink: LogSink; delay: () => Promise<void> },
  ): Following {
    let given = 0;
    let closed = false;
    let busy: Promise<void> | undefined;
    const pump = async () => {
      for (;;) {
        await delay();
        const next = this.logs.get(subject)?.find(({ place }) => place > given);
        if (next === undefined || closed) return;
        given = next.place;
        sink.entry(next.place, next.body);
      }
    };
    const wake = () => {
      busy = (busy ?? Promise.resolve()).then(pump);
    };
    const follower = {
      subject,
      wake,
      reset: () => {
        given = 0;
        if (!closed) sink.reset();
      },
    };
    this.followers.add(follower);
    wake();
    return {
      restart: () => {
        follower.reset();
        wake();
      },
      close: () => {
        closed = true;
        this.followers.delete(follower);
      },
    };
  }
}
