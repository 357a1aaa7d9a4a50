// Composes input and status line into the rows of the painted area, within the terminal's size.
import { formatBytes } from "../../shared/text/byte_size.ts";
import { type FlowInput, InputFlow } from "../editing/input_flow.ts";
import { parseStyled, type Row, shortenEnd, usableColumns } from "../terminal/layout.ts";
import { fromTheLeft } from "../terminal/width.ts";
import { MAX_INPUT_LENGTH } from "../editing/line_editor.ts";
import { MAX_PASTE_LENGTH } from "../terminal/keys.ts";
import type { Area } from "../terminal/screen.ts";
import { fitStatus, type StatusText } from "./status_fit.ts";

/** The column that consecutive moves up and down keep. */
export class GoalColumn {
  #column: number | undefined;

  /** Something else moved the cursor. */
  forget(): void {
    this.#column = undefined;
  }

  /** The index a row above or below; undefined where there is no such row. */
  move(flow: InputFlow, by: 1 | -1): number | undefined {
    const row = flow.cursor.row + by;
    if (row < 0 || row >= flow.height) return undefined;
    this.#column ??= flow.cursor.column;
    return flow.indexAt({ row, column: this.#column });
  }
}

/** The content of the area. */
export interface AreaContent extends FlowInput {
  readonly prompt: Row;
  /** Styled status line; "" for none. */
  readonly status: StatusText;
  /** Whether the status line is a hint that the user has to read now. */
  readonly isHint?: boolean;
  /** Styled rows above the input. */
  readonly live: readonly string[];
  readonly rows: number;
}

/** The visible rows of an input that is higher than its part of the terminal. */
export class InputWindow {
  readonly #flow = new InputFlow();
  #top = 0;

  /** The input as rows. */
  flow(prompt: Row, input: FlowInput): InputFlow {
    this.#flow.update(prompt, input);
    return this.#flow;
  }

  /** Composes the area; the window moves only as far as the cursor needs. */
  compose(content: AreaContent): Area {
    const flow = this.flow(content.prompt, content);
    const withStatus = content.status.length > 0 && content.rows >= 3;
    const live = liveRows(content, withStatus);
    const height = Math.max(1, inputHeight(content.rows, withStatus) - live.length);
    this.#follow(flow, height);
    const rows = flow.rows(this.#top, height);
    const hidden = flow.height - rows.length;
    if (withStatus) {
      const position = hidden === 0 || content.isHint
        ? ""
        : `[rows ${this.#top + 1}-${this.#top + rows.length} of ${flow.height}] `;
      const usable = usableColumns(content.columns);
      const status = fitStatus(content.status, usable - position.length);
      rows.push(shortenEnd(parseStyled(fromTheLeft(position + status)), usable));
    }
    return {
      rows: [...live, ...rows],
      cursor: {
        row: live.length + flow.cursor.row - this.#top,
        column: flow.cursor.column,
      },
    };
  }

  #follow(flow: InputFlow, height: number): void {
    const lowest = Math.max(0, flow.height - height);
    const { row } = flow.cursor;
    this.#top = Math.min(lowest, Math.max(row - height + 1, Math.min(this.#top, row)));
  }
}

const LIVE_ROWS_MAX = 6;

/** Rows that change in place, few enough to leave most of a small terminal to the conversation. */
function liveRows({ live, rows, columns }: AreaContent, withStatus: boolean): Row[] {
  const room = withStatus ? Math.min(LIVE_ROWS_MAX, Math.floor(rows / 3) - 1) : 0;
  return live.slice(0, Math.max(0, room))
    .map((row) => shortenEnd(parseStyled(row), usableColumns(columns)));
}

/** Most rows for the input: about half of the screen, so that a long text does not hide the conversation. */
function inputHeight(rows: number, withStatus: boolean): number {
  const free = rows - 1 - (withStatus ? 1 : 0);
  return Math.max(1, Math.min(free, Math.max(3, Math.floor(rows / 2))));
}

/** The question before a long paste is sent. */
export function longPasteQuestion(text: string): string {
  const lines = text.split("\n").length;
  const size = formatBytes(new TextEncoder().encode(text).length);
  return `this is one message of ${lines} lines, ${size}: Enter sends it, Ctrl-C drops it`;
}

/** What the user reads when a paste is refused. */
export const REFUSED_PASTE_HINT =
  `cannot take that much text: a paste may have at most ${MAX_PASTE_LENGTH} characters`;

/** What the user reads when the input is full. */
export const FULL_HINT =
  `cannot take that much text: the line may have at most ${MAX_INPUT_LENGTH} characters`;

/** What the user reads while the end of a paste does not come. */
export function pausedPasteHint(length: number): string {
  return `the paste continues (${length} characters so far); Ctrl-C ends it here`;
}
