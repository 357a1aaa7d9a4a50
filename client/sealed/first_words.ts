// What a sealed room says first.

/** To one who comes by a link and finds nobody. */
export const ALONE = {
  level: "warning",
  text: "nobody else is here. If there should be somebody, the server may be hiding them from you.",
} as const;
