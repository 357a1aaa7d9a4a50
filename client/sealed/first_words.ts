// What a sealed room says first, and of whose program breaks the protocol.

/** To one who comes by a link and finds nobody. */
export const ALONE = {
  level: "warning",
  text: "nobody else is here. If there should be somebody, the server may be hiding them from you.",
} as const;

/** What can be done against somebody whose program is at fault. */
export function wayOut(who: string): string {
  return `if it goes on: /ignore ${who} hides it; members who moderate the room can /kick ${who}`;
}
