// What tests/run.ts runs in one process, and in which order.

import { folderOf } from "./room_rules.ts";

/** Test files that one process runs, one after another. */
export interface Batch {
  /** The file, or the folder of several. */
  readonly title: string;
  readonly files: readonly string[];
}

const UNIT_FOLDERS = ["tests/shared/", "tests/server/", "tests/client/", "tests/helpers/"];

/** Whether the file tests single modules, and so runs with the others of its folder beside anything. */
function isUnitTest(path: string): boolean {
  return UNIT_FOLDERS.some((folder) => path.startsWith(folder));
}

/**
 * What takes longest begins first, in the order of `longest`, so that no core waits for the last file. Then come tests
 * of whole programs, which wait for processes and deadlines half of the time: the first of each folder, then the second
 * of each, since files of one folder use the same things at the same time. Unit tests are short and fill the gaps.
 */
export function planOf(files: readonly string[], longest: readonly string[]): Batch[] {
  const first = longest.filter((path) => files.includes(path));
  const rest = files.filter((path) => !longest.includes(path));
  const whole = rest.filter((path) => !isUnitTest(path));
  const units = Object.entries(Object.groupBy(rest.filter(isUnitTest), folderOf));
  return [
    ...[...first, ...inTurn(whole)].map(single),
    ...units.map(([title, files = []]) => ({ title, files }))
      .toSorted((a, b) => b.files.length - a.files.length),
  ];
}

function single(path: string): Batch {
  return { title: path, files: [path] };
}

/** The first file of each folder, the second of each, and so on. */
function inTurn(files: readonly string[]): string[] {
  const folders = Object.values(Object.groupBy(files, folderOf));
  const rounds = Math.max(0, ...folders.map((files) => files?.length ?? 0));
  return Array.from(
    { length: rounds },
    (_, round) => folders.flatMap((files) => files?.[round] ?? []),
  )
    .flat();
}

/** The files of a batch to run once more, by where its report has failures: a helper may have made the test. */
export function filesToRepeat({ files }: Batch, failedIn: readonly string[]): readonly string[] {
  const known = failedIn.length > 0 && failedIn.every((path) => files.includes(path));
  return known ? [...new Set(failedIn)] : files;
}
