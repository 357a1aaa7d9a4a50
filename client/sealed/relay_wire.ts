// What a sealed room says to the relay and hears from it (docs/PROTOCOL.md §11.10), as far as a member looks at it.

/** Requests of a member; `ask` is repeated by the answer. */
export type ToRelay =
  | {
    readonly kind: "sealed_attach";
    readonly ask: number;
    readonly rid: Uint8Array;
    readonly key: Uint8Array;
    readonly handle: Uint8Array;
    readonly owner: Uint8Array;
    readonly proof: Uint8Array;
    readonly seq: number;
    readonly epoch: number;
    readonly member: boolean;
  }
  | {
    readonly kind: "sealed_create";
    readonly ask: number;
    readonly room: number;
    readonly epoch: number;
    readonly seq: number;
  }
  | {
    readonly kind: "sealed_join";
    readonly ask: number;
    readonly room: number;
    /** The last GroupInfo was unusable. */
    readonly fresh: boolean;
  }
  | {
    readonly kind: "sealed_group_info";
    readonly ask: number;
    readonly room: number;
    readonly question: number;
    readonly epoch: number;
    readonly body: Uint8Array;
  }
  | {
    readonly kind: "sealed_commit";
    readonly ask: number;
    readonly room: number;
    readonly epoch: number;
    /** Handles whose leaves it removes. */
    readonly evicts: Uint8Array[];
    readonly body: Uint8Array;
  }
  | {
    readonly kind: "sealed_app";
    readonly ask: number;
    readonly room: number;
    readonly epoch: number;
    readonly body: Uint8Array;
  }
  | {
    readonly kind: "sealed_vote";
    readonly ask: number;
    readonly room: number;
    readonly seq: number;
    readonly ok: boolean;
  }
  | { readonly kind: "sealed_leave"; readonly ask: number; readonly room: number }
  | {
    readonly kind: "sealed_pull";
    readonly ask: number;
    readonly room: number;
    readonly to: Uint8Array;
    readonly chunks: number;
    readonly body: Uint8Array;
  }
  | {
    readonly kind: "sealed_chunk";
    readonly room: number;
    readonly to: Uint8Array;
    readonly body: Uint8Array;
  };

/** What the relay says. */
export type FromRelay =
  | {
    readonly kind: "sealed_attached";
    /** 0 when nobody asked. */
    readonly ask: number;
    readonly room: number;
    readonly epoch: number;
    readonly seq: number;
    readonly missing: "nothing" | "messages" | "epochs";
    readonly members: readonly (readonly [handle: Uint8Array, here: boolean])[];
  }
  | { readonly kind: "sealed_none"; readonly ask: number; readonly room: number }
  | { readonly kind: "sealed_done"; readonly ask: number }
  | { readonly kind: "sealed_declined"; readonly ask: number; readonly why: string }
  | {
    readonly kind: "sealed_conflict";
    readonly ask: number;
    readonly epoch: number;
    readonly seq: number;
  }
  | { readonly kind: "sealed_stale"; readonly ask: number; readonly epoch: number }
  | {
    readonly kind: "sealed_group_info";
    readonly ask: number;
    readonly epoch: number;
    readonly body: Uint8Array;
  }
  | {
    readonly kind: "sealed_group_info_please";
    readonly room: number;
    readonly question: number;
    readonly epoch: number;
  }
  | {
    readonly kind: "sealed_frame";
    readonly room: number;
    readonly seq: number;
    readonly type: "commit" | "app";
    readonly epoch: number;
    readonly from: Uint8Array;
    readonly ask: number;
    readonly time: number;
    readonly body: Uint8Array;
  }
  | {
    readonly kind: "sealed_void";
    readonly room: number;
    readonly seq: number;
    readonly epoch: number;
    readonly last: number;
  }
  | {
    readonly kind: "sealed_gone";
    readonly room: number;
    readonly handle: Uint8Array;
    readonly left: boolean;
  }
  | { readonly kind: "sealed_back"; readonly room: number; readonly handle: Uint8Array }
  | {
    readonly kind: "sealed_evict_please";
    readonly room: number;
    readonly handles: readonly Uint8Array[];
  }
  | {
    readonly kind: "sealed_pull";
    readonly room: number;
    readonly from: Uint8Array;
    readonly chunks: number;
    readonly body: Uint8Array;
  }
  | {
    readonly kind: "sealed_chunk";
    readonly room: number;
    readonly from: Uint8Array;
    readonly body: Uint8Array;
  };

/** One kind of what the relay says. */
export type RelayEvent<K extends FromRelay["kind"]> = Extract<FromRelay, { kind: K }>;
