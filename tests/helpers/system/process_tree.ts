// A process with all that it has started, also what its starters have left behind. Linux only: other systems have no /proc.

/** Each process of this machine by its parent's id; empty where there is no /proc. */
function byParent(): Map<number, number[]> {
  const children = new Map<number, number[]>();
  for (const pid of processes()) {
    // The name in parentheses may hold anything; the parent is the second field behind it.
    const parent = Number(/.*\) \S (\d+)/s.exec(readProcess(pid, "stat"))?.[1] ?? -1);
    children.set(parent, [...children.get(parent) ?? [], pid]);
  }
  return children;
}

function processes(): number[] {
  try {
    return Array.from(Deno.readDirSync("/proc"), ({ name }) => Number(name)).filter((pid) =>
      pid > 0
    );
  } catch {
    return [];
  }
}

/** "" where it has ended meanwhile, or is another user's. */
function readProcess(pid: number, file: "stat" | "environ"): string {
  try {
    return Deno.readTextFileSync(`/proc/${pid}/${file}`);
  } catch {
    return "";
  }
}

/** Those, and all that they have started. */
function withDescendants(pids: readonly number[]): number[] {
  const children = byParent();
  const found = new Set(pids);
  for (const each of found) {
    for (const child of children.get(each) ?? []) found.add(child);
  }
  return [...found];
}

/** Whose starter has ended belongs to nobody's tree, and is known by a variable that it got. */
function markedWith(mark: string): number[] {
  return processes().filter((pid) =>
    pid !== Deno.pid && readProcess(pid, "environ").split("\0").includes(mark)
  );
}

/** Ends a process, all that it has started, and every process that has `mark` (`NAME=value`) in its environment. */
export function endTree(pid: number, mark: string): void {
  const stopped = new Set<number>();
  // What has stopped starts nothing more: when nobody new is found, all are.
  for (;;) {
    const fresh = withDescendants([pid, ...markedWith(mark)]).filter((each) => !stopped.has(each));
    if (fresh.length === 0) break;
    for (const each of fresh) {
      stopped.add(each);
      signal(each, "SIGSTOP");
    }
  }
  for (const each of stopped) signal(each, "SIGKILL");
}

function signal(pid: number, name: "SIGSTOP" | "SIGKILL"): void {
  if (name === "SIGSTOP" && Deno.build.os === "windows") return;
  try {
    Deno.kill(pid, name);
  } catch {
    // It has ended meanwhile.
  }
}
