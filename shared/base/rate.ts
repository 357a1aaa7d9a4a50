// A rate: so many in so many seconds.

/** Messages in a window of seconds. */
export interface Rate {
  readonly messages: number;
  readonly seconds: number;
}
