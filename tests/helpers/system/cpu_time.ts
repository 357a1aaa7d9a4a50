// The processor time of a process with what it has started, as Linux counts it.

/** Ticks in a second of /proc, on every architecture of the runtime. */
const TICKS = 100;
/** Behind the name, which may hold anything: own time in user mode and in the kernel, and that of ended children. */
const TIMES = /.*\) \S(?: -?\d+){10} (\d+) (\d+) (\d+) (\d+)/s;

/**
 * Seconds of processor time that a process has had, with everything below it that has ended and was waited for; 0 where
 * there is no such process, or no /proc.
 */
export function cpuSeconds(pid: number | "self"): number {
  try {
    const times = TIMES.exec(Deno.readTextFileSync(`/proc/${pid}/stat`))?.slice(1) ?? [];
    return times.reduce((sum, ticks) => sum + Number(ticks), 0) / TICKS;
  } catch {
    return 0;
  }
}

/** Such as `12.3 s, processor 4.5 s`. */
export function spent(seconds: number, cpu: number): string {
  return `${seconds.toFixed(1)} s, processor ${cpu.toFixed(1)} s`;
}
