// Commands for whom the user knows: comparing keys, in sealed rooms and in plain ones, and who is remembered.

import { UsageError } from "../../shared/base/errors.ts";
import { nameKey } from "../../shared/text/names.ts";
import { quote } from "../../shared/base/sanitize.ts";
import type { Chat } from "../chat/chat.ts";
import { keyDigits, keyRows, wordRows } from "../people/key_rows.ts";
import { listedName, VERIFIED_MARK } from "../render/text.ts";
import type { JoinedRoom } from "../rooms/joined_room.ts";
import type { RosterEntry } from "../rooms/roster.ts";
import type { SealedRoom } from "../sealed/sealed_room.ts";
import type { PairCodePart, SealedPerson } from "../sealed_engine/people.ts";
import type { CommandRow } from "./command.ts";
import { longestName, type NameMatch, splitName, typedName } from "./targets.ts";

const VERIFY_FORM = "/verify NAME [yes|anyway]";
const KEEP_HINT = "--known-people FILE, or --device-key FILE, keeps it for the next start";

/** Rows of the commands for whom the user knows. */
export const PEOPLE_COMMANDS: readonly CommandRow[] = [
  {
    name: "verify",
    argument: "[NAME [yes|anyway]]",
    needs: "nothing",
    help: "show what you compare with NAME, the same on both screens; yes: you have compared it",
    completes: "name",
    run({ chat }, argument) {
      if (argument === "") return showPeople(chat);
      const sealed = chat.sealed.of(chat.room);
      return sealed === undefined
        ? verifyInPlain(chat, argument)
        : verifySealed(chat, sealed, argument);
    },
  },
  {
    name: "people",
    needs: "nothing",
    help: "list the people you know by their device keys, and show your own key",
    run: ({ chat }) => showPeople(chat),
  },
  {
    name: "forget",
    argument: "NAME",
    needs: "nothing",
    help: "forget the key of somebody you know",
    completes: "known",
    async run({ chat }, argument) {
      const name = typedName(argument);
      if (!await chat.people.known.forget(name)) {
        throw new UsageError(`Cannot forget ${quote(name)}: you know nobody of this name`, {
          hint: "/people lists whom you know",
        });
      }
      chat.output.answer(`${listedName(name)} is forgotten.`);
    },
  },
];

function showPeople({ output, people: { device, known } }: Chat): void {
  const own = device === undefined
    ? ["You show no device key; cmdchat-client keygen makes one."]
    : ["Your device key:", ...keyRows(device.publicKey)];
  const others = known.all.map(({ name, date, key }) =>
    `  ${listedName(name)} ${VERIFIED_MARK} ${date} ${keyDigits(key)}`
  );
  const where = known.path === undefined ? "until you quit" : "also tomorrow";
  const list = others.length === 0
    ? ["You know nobody by a device key: /verify NAME"]
    : [`You know, ${where}:`, ...others];
  output.answer([...own, ...list].join("\n"));
}

/** The word behind a name. Throws UsageError for any other than `yes` and `anyway`. */
function wordOf(rest: string, argument: string): "" | "yes" | "anyway" {
  if (rest === "" || rest === "yes" || rest === "anyway") return rest;
  throw new UsageError(`Cannot verify ${quote(argument)}: the form is ${VERIFY_FORM}`);
}

function cannotVerifyOneself(): UsageError {
  return new UsageError("Cannot verify yourself: /verify NAME shows what you compare with NAME");
}

async function verifySealed(chat: Chat, room: SealedRoom, argument: string): Promise<void> {
  const { found: person, rest } = personOf(room, argument);
  const word = wordOf(rest, argument);
  if (person.own) throw cannotVerifyOneself();
  const isMaker = person.client === room.status?.maker;
  if (word === "") return chat.output.answer(codeText(person, room.codeWith(person), isMaker));
  if (!room.accept(person, word === "yes")) {
    const code = codeText(person, room.codeWith(person), isMaker);
    throw new UsageError(
      `Not verified: you have not seen the code of this key of ${listedName(person.name)}`,
      { hint: `compare it first. ${code.replaceAll(/\s*\n\s*/g, " ")}` },
    );
  }
  const who = listedName(person.name);
  if (word === "anyway") {
    return chat.output.answer(`You accepted the key of ${who} without comparing it.`);
  }
  if (person.device !== undefined) return await remember(chat, person.name, person.device);
  chat.output.answer(`${who} ${VERIFIED_MARK} is verified on this device, until you leave.`);
}

/** Keeps a key that was compared, and says for how long. */
async function remember(chat: Chat, name: string, key: string): Promise<void> {
  const { known } = chat.people;
  await known.remember({ name, key, date: chat.utc().slice(0, 10) });
  const who = `${listedName(name)} ${VERIFIED_MARK}`;
  if (known.path === undefined) {
    return chat.output.note(
      "info",
      `${who} is verified in all your rooms, until you quit.`,
      KEEP_HINT,
    );
  }
  chat.output.answer(`${who} is verified, and you will know this device key again tomorrow.`);
}

/** In a plain room the device keys are what is compared: nothing else there is of the people alone. */
async function verifyInPlain(chat: Chat, argument: string): Promise<void> {
  const { room } = chat;
  const { person, rest } = splitName(chat, argument);
  const word = wordOf(rest, argument);
  if (person.client === chat.clientId) throw cannotVerifyOneself();
  const who = listedName(person.name);
  if (word === "anyway") {
    chat.proofs.accept(room, person);
    return chat.output.answer(`You continue with ${who} without comparing a key.`);
  }
  const key = await shownKey(chat, room, person);
  if (word === "" || !chat.proofs.isCompared(room, person, key)) {
    const rows = compareRows(person, key);
    chat.proofs.compared(room, person, key);
    if (word === "") return chat.output.answer(rows.join("\n"));
    throw new UsageError(`Not verified: you have not seen this device key of ${who}`, {
      hint: `compare it first. ${rows.map((row) => row.trim()).join(" ")}`,
    });
  }
  await remember(chat, person.name, key);
}

/** The device key that somebody proves now. Throws UsageError where they prove none. */
async function shownKey(chat: Chat, room: JoinedRoom, person: RosterEntry): Promise<string> {
  const who = listedName(person.name);
  if (chat.isV1 || person.state === "old") {
    throw new UsageError(`Cannot verify ${who}: the old protocol knows no device keys`);
  }
  chat.requireSession();
  const shown = await chat.proofs.show(room, person);
  if (typeof shown === "object") return shown.key;
  throw shown === "wrong"
    ? new UsageError(`Cannot verify ${who}: the proof of their device key is not valid`, {
      hint: "somebody, perhaps the server, may have put another one in its place",
    })
    : new UsageError(`Cannot verify ${who}: they show no device key`, {
      hint: "they need --device-key to be known; in a room made by /seal everybody has a key",
    });
}

function compareRows({ name, known }: RosterEntry, key: string): string[] {
  const who = listedName(name);
  return [
    `Device key of ${who}${known === undefined ? "" : ` (known to you as ${listedName(known)})`}:`,
    ...keyRows(key),
    `${who} sees the same with /people, digits or words: compare over a channel that nobody can ` +
    `fake. If they are equal: /verify ${who} yes`,
  ];
}

function personOf({ status }: SealedRoom, argument: string): NameMatch<SealedPerson> {
  const match = longestName(
    argument,
    (name) => status?.people.find((person) => nameKey(person.name) === nameKey(name)),
  );
  if (match !== undefined) return match;
  throw new UsageError(`Cannot find ${quote(argument)} in this room`, {
    hint: "/names lists its members",
  });
}

function codeText(
  { name, verified, suspect }: SealedPerson,
  code: readonly PairCodePart[],
  isMaker: boolean,
): string {
  const marks = [
    ...(isMaker ? ["made this room"] : []),
    ...(verified ? [`verified ${VERIFIED_MARK}`] : []),
    ...(suspect ? ["ANOTHER KEY now"] : []),
  ];
  const who = listedName(name);
  return [
    `Code of you and ${who}${marks.length === 0 ? "" : ` (${marks.join(", ")})`}:`,
    ...code.map(({ digits }) => `  ${digits}`),
    ...code.flatMap(({ words }) => wordRows(words)).map((row) => `  ${row}`),
    `${who} must see the same, digits or words: compare over a channel that nobody can fake. ` +
    `If they are equal: /verify ${who} yes`,
  ].join("\n");
}
