// A view of the page that keeps what it is told, and answers the form with what a test gives.

import { plainText, type RenderedLine } from "../../../client/render/shown.ts";
import type {
  PageFault,
  PagePerson,
  PageRoom,
  PageStatus,
  PageTransfer,
  PageView,
} from "../../../client/web/page_view.ts";
import type { StartForm } from "../../../client/web/start_form.ts";

/** The view of a page without a browser. */
export class FakePageView implements PageView {
  readonly lines: RenderedLine[] = [];
  readonly faults: (PageFault | undefined)[] = [];
  readonly forms: StartForm[] = [];
  readonly saved: { readonly name: string; readonly content: Blob }[] = [];
  readonly alarms: string[] = [];
  readonly asked: string[] = [];
  readonly notices: string[] = [];
  /** What the user chooses where they are asked for files. */
  chosen: readonly File[] = [];
  chosenFolder: readonly File[] = [];
  rooms: readonly PageRoom[] = [];
  people: readonly PagePerson[] = [];
  status: PageStatus | undefined;
  transfers: readonly PageTransfer[] = [];
  input = "";
  over = false;
  readonly #answers: ((form: StartForm) => StartForm)[];
  readonly #waiting = new Set<() => void>();

  /** `answers`: what the user makes of the form, each time that it is shown. */
  constructor(...answers: ((form: StartForm) => StartForm)[]) {
    this.#answers = answers;
  }

  /** Resolves when `condition` holds after something was shown. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  /** Resolves with the first line that matches. */
  async line(pattern: RegExp): Promise<string> {
    const found = () => this.texts.find((text) => pattern.test(text));
    await this.until(() => found() !== undefined);
    return found() ?? "";
  }

  /** All lines as text. */
  get texts(): string[] {
    return this.lines.map(plainText);
  }

  askStart(given: StartForm, fault?: PageFault): Promise<StartForm> {
    this.forms.push(given);
    this.faults.push(fault);
    this.#shown();
    const answer = this.#answers.shift();
    return answer === undefined ? new Promise(() => {}) : Promise.resolve(answer(given));
  }

  open(): void {}

  print(line: RenderedLine): void {
    // As a view does it: what concerns no room stands in the current one.
    this.lines.push({
      ...line,
      room: line.room ?? this.rooms.find(({ current }) => current)?.title,
    });
    this.#shown();
  }

  /** Reactions become lines, as where the message is not shown any more. */
  react(): boolean {
    return false;
  }

  setLive(): void {}

  clear(): void {
    this.lines.length = 0;
  }

  setRooms(rooms: readonly PageRoom[]): void {
    this.rooms = rooms;
    this.#shown();
  }

  setPeople(people: readonly PagePerson[]): void {
    this.people = people;
    this.#shown();
  }

  setStatus(status: PageStatus): void {
    this.status = status;
    this.#shown();
  }

  setTransfers(transfers: readonly PageTransfer[]): void {
    this.transfers = transfers;
    this.#shown();
  }

  setInput(text: string): void {
    this.input = text;
  }

  ask(question: string): Promise<undefined> {
    this.asked.push(question);
    return Promise.resolve(undefined);
  }

  alarm(text: string): void {
    this.alarms.push(text);
    this.#shown();
  }

  notify(text: string): void {
    this.notices.push(text);
  }

  chooseFiles(isFolder: boolean): Promise<readonly File[]> {
    return Promise.resolve(isFolder ? this.chosenFolder : this.chosen);
  }

  save(name: string, content: Blob): void {
    this.saved.push({ name, content });
    this.#shown();
  }

  ended(fault?: PageFault): void {
    this.over = true;
    this.faults.push(fault);
    this.#shown();
  }

  #shown(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const resolve of waiting) resolve();
  }
}
