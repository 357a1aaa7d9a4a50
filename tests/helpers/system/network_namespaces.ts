// Machines of a network that is none: namespaces of this kernel, joined by two bridges in a namespace of their own.
// Nothing of it is connected to the machine's own network, and nothing stays when it is over.

import { type Ended, runProgram } from "../programs/programs.ts";
import { whyMissing } from "../repo/system_needs.ts";

/** Cables: what people reach, and what servers reach each other by. */
export type Segment = "front" | "back";

/** One machine. */
export interface Machine {
  readonly name: string;
  /** Its address on each segment that it is on (RFC 5737: for documentation, so nobody's). */
  readonly addresses: Readonly<Partial<Record<Segment, string>>>;
  /** What a command is put behind to run there. */
  readonly under: readonly string[];
}

/** The network; disposing it takes it down with all that is still in it. */
export interface Network extends AsyncDisposable {
  /** The machine between the others, which reaches both segments. */
  readonly middle: Machine;
  readonly machines: ReadonlyMap<string, Machine>;
}

const NETS: Readonly<Record<Segment, string>> = { front: "192.0.2", back: "198.51.100" };
const SEGMENTS = ["front", "back"] as const;
const FIRST_HOST = 11;

/** Why there can be no such network here; undefined where there can. */
export async function whyNoNamespaces(): Promise<string | undefined> {
  if (Deno.build.os !== "linux" || Deno.uid() !== 0) return "only root can make network namespaces";
  const missing = whyMissing("ip");
  if (missing !== undefined) return missing;
  const name = `cmdchat-${Deno.pid}-try`;
  const tried = await ip("netns", "add", name);
  if (tried.code !== 0) return "this system makes no network namespaces";
  const joined = await ip("-n", name, "link", "add", "one", "type", "veth", "peer", "name", "two");
  await ip("netns", "delete", name);
  return joined.code === 0 ? undefined : "this system has no virtual cables (veth)";
}

/** Builds a network; `plan` names its machines and the segments that each is on. */
export async function openNetwork(
  plan: Readonly<Record<string, readonly Segment[]>>,
): Promise<Network> {
  const prefix = `cmdchat-${Deno.pid}-`;
  await using stack = new AsyncDisposableStack();
  const addSpace = async (name: string) => {
    await ipDone("netns", "add", prefix + name);
    stack.defer(async () => {
      const { stdout } = await ip("netns", "pids", prefix + name);
      for (const pid of stdout.split("\n").filter(Boolean)) kill(Number(pid));
      await ipDone("netns", "delete", prefix + name);
    });
    await ipDone("-n", prefix + name, "link", "set", "lo", "up");
  };
  await addSpace("middle");
  const hub = `${prefix}middle`;
  for (const segment of SEGMENTS) {
    await ipDone("-n", hub, "link", "add", segment, "type", "bridge");
    await ipDone("-n", hub, "address", "add", `${NETS[segment]}.1/24`, "dev", segment);
    await ipDone("-n", hub, "link", "set", segment, "up");
  }
  const machines = new Map<string, Machine>();
  for (const [n, [name, segments]] of Object.entries(plan).entries()) {
    await addSpace(name);
    const space = prefix + name;
    const addresses: Partial<Record<Segment, string>> = {};
    for (const segment of segments) {
      const [plug, address] = [plugOf(name, segment), `${NETS[segment]}.${FIRST_HOST + n}`];
      const cable = ["type", "veth", "peer", "name", segment, "netns", space];
      await ipDone("-n", hub, "link", "add", plug, ...cable);
      await ipDone("-n", hub, "link", "set", plug, "master", segment, "up");
      await ipDone("-n", space, "address", "add", `${address}/24`, "dev", segment);
      await ipDone("-n", space, "link", "set", segment, "up");
      addresses[segment] = address;
    }
    machines.set(name, { name, addresses, under: ["ip", "netns", "exec", space] });
  }
  const all = stack.move();
  const middle: Machine = {
    name: "middle",
    addresses: { front: `${NETS.front}.1`, back: `${NETS.back}.1` },
    under: ["ip", "netns", "exec", hub],
  };
  return { middle, machines, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

/**
 * Pulls the cable of a machine, or puts it back. Asked in the middle. Nobody is told: what is sent is lost in silence,
 * unlike with a process that ends, whose system refuses what still comes.
 */
export async function setCable(
  machine: Machine,
  segment: Segment,
  state: "up" | "down",
): Promise<void> {
  await ipDone("link", "set", plugOf(machine.name, segment), state);
}

// An interface's name has at most 15 characters.
function plugOf(name: string, segment: Segment): string {
  return `${name}-${segment}`;
}

function ip(...args: string[]): Promise<Ended> {
  return runProgram("ip", { args });
}

async function ipDone(...args: string[]): Promise<void> {
  const { code, stderr } = await ip(...args);
  if (code !== 0) throw new Error(`ip ${args.join(" ")}: ${stderr}`);
}

function kill(pid: number): void {
  try {
    Deno.kill(pid, "SIGKILL");
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
