// Questions on the input line: one after the other, each with a line of its own.

import { parseStyled, type Row } from "../terminal/layout.ts";
import { LineEditor } from "./line_editor.ts";

/** A question that waits for its answer. */
export interface Question {
  readonly prompt: Row;
  /** Nothing of the answer is shown or remembered. */
  readonly hidden: boolean;
  readonly editor: LineEditor;
}

interface Waiting extends Question {
  readonly answer: (text: string | undefined) => void;
}

/** The questions of one prompt. */
export class Questions {
  readonly #waiting: Waiting[] = [];

  /** The question that is asked now; undefined if none is. */
  get open(): Question | undefined {
    return this.#waiting[0];
  }

  /** Asks, once those before are answered; undefined where the user refuses. */
  ask(question: string, hidden: boolean): Promise<string | undefined> {
    return new Promise((answer) => {
      const prompt = parseStyled(question.endsWith(" ") ? question : `${question} `);
      this.#waiting.push({ prompt, hidden, editor: new LineEditor(), answer });
    });
  }

  /** Answers the open question, or with undefined refuses it; false if none is open. */
  answer(text: string | undefined): boolean {
    const question = this.#waiting.shift();
    question?.answer(text);
    return question !== undefined;
  }

  /** Refuses all. */
  close(): void {
    while (this.answer(undefined));
  }
}
