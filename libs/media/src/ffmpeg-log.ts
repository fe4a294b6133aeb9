const maxWarnings = 32;
const maxLineLength = 300;

/** What FFmpeg said on stderr while it decoded, in bounded memory. */
export class FfmpegLog {
  private rest = '';
  private declared: number | undefined;
  private estimated = false;
  private readonly kept = new Set<string>();
  private readonly grave = new Set<string>();

  /** Takes the next piece of stderr. */
  push(text: string): void {
    const lines = (this.rest + text).split('\n');
    this.rest = (lines.pop() ?? '').slice(0, 4_096);
    for (const line of lines) this.take(line);
  }

  /** Takes the last line, which may lack its end. */
  end(): void {
    this.take(this.rest);
    this.rest = '';
  }

  /** Duration that the container declares; absent where it does not or FFmpeg only guessed it. */
  get declaredMs(): number | undefined {
    return this.estimated ? undefined : this.declared;
  }

  /** Different warnings and errors, first ones first, at most 32. */
  get warnings(): readonly string[] {
    return [...this.kept];
  }

  /** Those of the warnings that FFmpeg calls errors. */
  get errors(): readonly string[] {
    return [...this.grave];
  }

  private take(line: string): void {
    if (this.declared === undefined) {
      const duration = /^\[info\] {3}Duration: (\d+):(\d\d):(\d\d\.\d+)/.exec(line);
      if (duration) {
        this.declared =
          (Number(duration[1]) * 3_600 + Number(duration[2]) * 60 + Number(duration[3])) * 1_000;
      }
    }
    if (line.includes('Estimating duration from bitrate')) this.estimated = true;
    const problem = /^(?:\[[^\]]+ @ 0x[0-9a-f]+\] )?\[(warning|error|fatal)\] (.+)$/.exec(line);
    if (problem && this.kept.size < maxWarnings && !harmless.test(line)) {
      const text = problem[2].slice(0, maxLineLength);
      this.kept.add(text);
      if (problem[1] !== 'warning') this.grave.add(text);
    }
  }
}

/** Said about healthy files too. */
const harmless =
  /Guessed Channel Layout|Estimating duration from bitrate|Error closing file pipe|Broken pipe/;
