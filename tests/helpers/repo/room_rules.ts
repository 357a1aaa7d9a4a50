// The rules of the rooms, as functions of any sources and any table, so that the rules are tested as well.

import type { Room } from "../../rooms.ts";
import type { SourceFile } from "./sources.ts";

/** Files that a room holds at least and at most. */
export const ROOM_FILES = { least: 4, most: 15 } as const;

type Rooms = Readonly<Record<string, Room>>;
type Imports = Pick<SourceFile, "path" | "imports">;
type Exports = Pick<SourceFile, "path" | "exports">;

/** The folder of a file, without a slash at its end. */
export function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}

/** The first folder of a path: shared, server, client, scripts or tests. */
export function sideOf(path: string): string {
  return path.split("/")[0] ?? "";
}

/** Product files that are in no room, and rooms that are too small or too large. */
export function sizeFaults(paths: readonly string[], rooms: Rooms): string[] {
  const faults = paths.filter((path) => !Object.hasOwn(rooms, folderOf(path)))
    .map((path) => `${path} is in no room`);
  for (const room of Object.keys(rooms)) {
    const isMain = !room.includes("/");
    const { least, most } = isMain ? { least: 1, most: 1 } : ROOM_FILES;
    const count = paths.filter((path) => folderOf(path) === room).length;
    if (count < least || count > most) faults.push(`${room} has ${count} files`);
  }
  return faults;
}

/** Folders with more source files than a room may have. */
export function folderFaults(paths: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const path of paths) counts.set(folderOf(path), (counts.get(folderOf(path)) ?? 0) + 1);
  return [...counts].filter(([, count]) => count > ROOM_FILES.most)
    .map(([folder, count]) => `${folder} has ${count} files`);
}

/** Imports, types included, that leave their room for one that its row does not name, or past a public face. */
export function importFaults(sources: readonly Imports[], rooms: Rooms): string[] {
  return sources.flatMap(({ path, imports }) =>
    imports.filter((target) => target.endsWith(".ts") && !mayImport(path, target, rooms))
      .map((target) => `${path} imports ${target}`)
  );
}

function mayImport(from: string, to: string, rooms: Rooms): boolean {
  const [own, other] = [folderOf(from), folderOf(to)];
  if (own === other) return true;
  const face = rooms[other]?.face;
  if (face !== "all" && !face?.includes(to.slice(other.length + 1, -".ts".length))) return false;
  const isGround = sideOf(other) === "shared" && sideOf(own) !== "shared";
  return isGround || (rooms[own]?.uses.includes(other) ?? false);
}

/** Rows that use a room on their own floor or above: the order of the rows is the proof that no circle is left. */
export function orderFaults(rooms: Rooms): string[] {
  const order = Object.keys(rooms);
  return order.flatMap((room, at) =>
    (rooms[room]?.uses ?? []).filter((used) => !order.slice(0, at).includes(used))
      .map((used) => `${room} uses ${used}, which is not below it`)
  );
}

/** Entries of `uses` and `face` that no import needs. */
export function spareEntries(sources: readonly Imports[], rooms: Rooms): string[] {
  const used = new Set<string>();
  const shown = new Set<string>();
  for (const { path, imports } of sources) {
    for (const target of imports) {
      if (folderOf(path) === folderOf(target)) continue;
      used.add(`${folderOf(path)} uses ${folderOf(target)}`);
      shown.add(target);
    }
  }
  return Object.entries(rooms).flatMap(([room, { uses, face }]) => [
    ...uses.map((other) => `${room} uses ${other}`).filter((entry) => !used.has(entry)),
    ...(face === "all" ? [] : face.map((file) => `${room}/${file}.ts`))
      .filter((path) => !shown.has(path)).map((path) => `${path} is a face`),
  ]);
}

/** The shortest circle of imports, types included, as a path that ends where it begins; undefined without one. */
export function shortestCircle(sources: readonly Imports[]): readonly string[] | undefined {
  const graph = new Map(sources.map(({ path, imports }) => [path, imports]));
  let shortest: readonly string[] | undefined;
  for (const start of graph.keys()) {
    const circle = circleFrom(start, graph);
    if (circle && (shortest === undefined || circle.length < shortest.length)) shortest = circle;
  }
  return shortest;
}

/** Breadth first, so that the first way back to `start` is a shortest one. */
function circleFrom(
  start: string,
  graph: ReadonlyMap<string, readonly string[]>,
): readonly string[] | undefined {
  const trails: string[][] = [[start]];
  const seen = new Set<string>();
  for (let trail = trails.shift(); trail !== undefined; trail = trails.shift()) {
    for (const target of graph.get(trail.at(-1) ?? "") ?? []) {
      if (target === start) return [...trail, start];
      if (seen.has(target) || !graph.has(target)) continue;
      seen.add(target);
      trails.push([...trail, target]);
    }
  }
  return undefined;
}

/** Names that two files of one side export: one word, one thing. */
export function equalExports(sources: readonly Exports[]): string[] {
  const homes = new Map<string, string[]>();
  for (const { path, exports } of sources) {
    for (const name of exports) {
      const key = `${sideOf(path)} exports ${name}`;
      homes.set(key, [...homes.get(key) ?? [], path]);
    }
  }
  return [...homes].filter(([, paths]) => paths.length > 1)
    .map(([key, paths]) => `${key} from ${paths.join(" and ")}`);
}

/** The floor of each room, from 0 on the ground: one above the highest that it uses. */
export function floors(rooms: Rooms): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (const [room, { uses }] of Object.entries(rooms)) {
    found.set(room, Math.max(0, ...uses.map((other) => (found.get(other) ?? 0) + 1)));
  }
  return found;
}
