import { DomainError, errorCode } from '@earmark/kernel';

/** Where a command writes: results to stdout, everything else to stderr. */
export interface Output {
  /** Whether `--json` was given. */
  readonly json: boolean;
  /** Writes one result: its JSON, or the text made for people. */
  result(value: object, text: () => string): void;
  /** Writes the failure of one input; the command goes on. */
  failure(path: string, error: unknown): void;
  /** Writes a line for people on stderr. */
  note(text: string): void;
  /** Starts a progress display over `total` units; it draws only on a terminal. */
  progress(label: string, total: number): Progress;
}

/** A running progress display. */
export interface Progress {
  /** Adds finished units and, where known, the media time that they covered. */
  advance(units: number, mediaMs?: number): void;
  end(): void;
}

/** What a failed input prints: `{"path","error":{"code","title"}}`. */
export function failureLine(
  path: string,
  error: unknown,
): { path: string; error: { code: string; title: string } } {
  const title = error instanceof Error ? error.message : String(error);
  return {
    path,
    error: {
      code: errorCode(error),
      title: error instanceof DomainError ? title : `internal error: ${title}`,
    },
  };
}

/** Output on the process's own streams. */
export function processOutput(json: boolean): Output {
  const bar = new ProgressBar(process.stderr);
  return {
    json,
    result(value, text) {
      bar.hide();
      process.stdout.write(`${json ? JSON.stringify(value) : text()}\n`);
      bar.show();
    },
    failure(path, error) {
      const line = failureLine(path, error);
      bar.hide();
      if (json) process.stdout.write(`${JSON.stringify(line)}\n`);
      process.stderr.write(`${path}: ${line.error.title} [${line.error.code}]\n`);
      bar.show();
    },
    note(text) {
      bar.hide();
      process.stderr.write(`${text}\n`);
      bar.show();
    },
    progress: (label, total) => bar.start(label, total),
  };
}

const redrawMs = 100;

/** One line on a terminal: share done, rate in x real time, time left. Silent elsewhere. */
class ProgressBar {
  #label = '';
  #total = 0;
  #done = 0;
  #mediaMs = 0;
  #startedMs = 0;
  #drawnMs = 0;
  #active = false;

  constructor(private readonly stream: NodeJS.WriteStream) {}

  start(label: string, total: number): Progress {
    this.#label = label;
    this.#total = total;
    this.#done = 0;
    this.#mediaMs = 0;
    this.#startedMs = performance.now();
    this.#active = this.stream.isTTY;
    this.show();
    return {
      advance: (units, mediaMs = 0) => {
        this.#done += units;
        this.#mediaMs += mediaMs;
        if (performance.now() - this.#drawnMs > redrawMs) this.show();
      },
      end: () => {
        this.hide();
        this.#active = false;
      },
    };
  }

  hide(): void {
    if (this.#active) this.stream.write('\r\u001b[2K');
  }

  show(): void {
    if (!this.#active) return;
    this.#drawnMs = performance.now();
    this.stream.write(
      `\r\u001b[2K${progressText(this.#label, this.#done, this.#total, this.#mediaMs, this.#drawnMs - this.#startedMs)}`,
    );
  }
}

/**
 * Text of a progress line, such as `ingest [#####-----] 5/10  210x  0:04 left`.
 *
 * @param mediaMs media time covered so far
 * @param elapsedMs wall time since the start
 */
export function progressText(
  label: string,
  done: number,
  total: number,
  mediaMs: number,
  elapsedMs: number,
): string {
  const share = total === 0 ? 1 : Math.min(1, done / total);
  const width = 24;
  const filled = Math.round(share * width);
  const bar = '#'.repeat(filled) + '-'.repeat(width - filled);
  const rate = mediaMs > 0 && elapsedMs > 0 ? `  ${(mediaMs / elapsedMs).toFixed(0)}x real time` : '';
  const left = done > 0 && done < total ? `  ${clockText((elapsedMs / done) * (total - done))} left` : '';
  return `${label} [${bar}] ${done}/${total}${rate}${left}`;
}

/** Milliseconds as `m:ss`, or `h:mm:ss` from one hour on. */
export function clockText(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  const minutes = Math.floor(seconds / 60);
  const tail = String(seconds % 60).padStart(2, '0');
  return minutes < 60
    ? `${minutes}:${tail}`
    : `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, '0')}:${tail}`;
}
