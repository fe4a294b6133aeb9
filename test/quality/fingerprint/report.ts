import type { Decision, Match, MatchRelation, MissingPeaks } from '@earmark/fingerprint';

/** A clip of truth.json. */
export type Query = Readonly<{
  id: string;
  set: string;
  seconds: number;
  track: string | null;
  source?: string;
  ref_start: number;
  tempo: number;
  /** Seconds by which the place may be off beyond the usual, where the clip was cut or warped. */
  slack?: number;
}>;

/** What the search made of a clip: a line of evaluate.ts. */
export type ClipLine = Readonly<{
  id: string;
  set: string;
  source: string | undefined;
  positive: boolean;
  /** Name of the level that ended the search. */
  level: string;
  /** CPU of the search. */
  cpuMs: number;
  /** The best place, answered or not, is on the right track. */
  right: boolean;
  probability: number;
  evidence: Decision['evidence'] | undefined;
  /** Track of the best place. */
  track: string | undefined;
  relation: MatchRelation | undefined;
  line: Decision['place']['line'] | undefined;
  /** Only of answers. */
  missing: MissingPeaks | undefined;
  /** The answer, empty without one; `r_start` is what sounds at the query's start, in seconds. */
  matches: readonly Readonly<{
    track: string;
    q_start: number;
    q_end: number;
    r_start: number;
    score: number;
  }>[];
}>;

/** A clip and what the search made of it. */
export type ClipResult = Readonly<{ query: Query; line: ClipLine }>;

/** A soundtrack of videos.json. */
export type Soundtrack = Readonly<{
  id: string;
  seconds: number;
  excerpts: readonly Readonly<{
    track: string | null;
    ref_start: number;
    q_start: number;
    q_end: number;
    speed?: number;
    mode: string;
    role?: string;
  }>[];
}>;

const toleranceSeconds = 0.5;

/** Prints recall per set: right track and place, right track at another place, wrong; with a 95 % Wilson interval. */
export function printClips(results: readonly ClipResult[]): void {
  const sets = Map.groupBy(results, ({ query }) => query.set);
  const total = { count: 0, right: 0, track: 0, wrong: 0, negatives: 0, answered: 0 };
  console.log('| set | n | recall | 95 % interval | other place | wrong |\n|---|---:|---:|---|---:|---:|');
  for (const [set, rows] of sets) {
    const answered = rows.filter(({ line }) => line.matches.length > 0);
    const onTrack = answered.filter(({ query, line }) => line.track === query.track);
    const right = onTrack.filter(isInPlace).length;
    const wrong = answered.length - onTrack.length;
    if (rows[0].query.track === null) {
      total.negatives += rows.length;
      total.answered += answered.length;
    } else {
      total.count += rows.length;
      total.right += right;
      total.track += onTrack.length;
      total.wrong += wrong;
    }
    console.log(
      `| ${set} | ${rows.length} | ${(right / rows.length).toFixed(3)} | ${interval(right, rows.length)} | ${onTrack.length - right} | ${wrong} |`,
    );
  }
  console.log(
    `| all positives | ${total.count} | ${(total.right / total.count).toFixed(4)} | ${interval(total.right, total.count)} | ${total.track - total.right} | ${total.wrong} |`,
  );
  console.log(`negatives answered: ${total.answered} of ${total.negatives}`);
}

/** Whether an answer is at the true place. */
export function isInPlace({ query, line }: ClipResult): boolean {
  const [answer] = line.matches;
  if (!answer) return false;
  const off = Math.abs(answer.r_start - query.ref_start);
  return off <= toleranceSeconds + (query.slack ?? 0) + Math.abs(query.tempo - 1) * query.seconds;
}

/** Wilson's 95 % interval of a share. */
export function interval(hits: number, count: number): string {
  const z = 1.96;
  const p = hits / count;
  const centre = (p + (z * z) / (2 * count)) / (1 + (z * z) / count);
  const half = (z * Math.sqrt((p * (1 - p)) / count + (z * z) / (4 * count * count))) / (1 + (z * z) / count);
  return `${Math.max(0, centre - half).toFixed(3)}-${Math.min(1, centre + half).toFixed(3)}`;
}

/** Prints precision, recall and F1 in seconds, border errors and roles of the soundtracks. */
export function printSoundtracks(
  found: readonly { soundtrack: Soundtrack; matches: readonly Match[] }[],
): void {
  let predicted = 0;
  let rightSeconds = 0;
  let wanted = 0;
  let falseAlarms = 0;
  const borders: number[] = [];
  const roles = new Map<string, number>();
  const modes = new Map<string, [number, number]>();
  for (const { soundtrack, matches } of found) {
    for (const excerpt of soundtrack.excerpts) {
      if (excerpt.track === null) continue;
      wanted += excerpt.q_end - excerpt.q_start;
      const mode = modes.get(excerpt.mode) ?? [0, 0];
      if (matches.some((match) => overlapSeconds(match, excerpt) > 0)) mode[1]++;
      mode[0]++;
      modes.set(excerpt.mode, mode);
    }
    for (const match of matches) {
      predicted += (match.queryEndMs - match.queryStartMs) / 1000;
      const hit = soundtrack.excerpts.find((excerpt) => overlapSeconds(match, excerpt) > 0);
      if (!hit) {
        falseAlarms++;
        console.log(
          `false: ${soundtrack.id} ${match.queryStartMs / 1000}-${match.queryEndMs / 1000} ${match.trackId} p ${match.probability.toFixed(3)} score ${match.score.toFixed(1)} speed ${match.speedRatio.toFixed(4)}`,
        );
        continue;
      }
      rightSeconds += overlapSeconds(match, hit);
      borders.push(
        Math.abs(match.queryStartMs / 1000 - hit.q_start),
        Math.abs(match.queryEndMs / 1000 - hit.q_end),
      );
      const key = `${hit.role ?? '?'} -> ${match.role}`;
      roles.set(key, (roles.get(key) ?? 0) + 1);
    }
  }
  borders.sort((a, b) => a - b);
  const precision = predicted > 0 ? rightSeconds / predicted : 0;
  const recall = rightSeconds / wanted;
  console.log(
    `soundtracks: precision ${precision.toFixed(3)}, recall ${recall.toFixed(3)}, F1 ${((2 * precision * recall) / (precision + recall)).toFixed(3)}, false alarms ${falseAlarms}`,
  );
  console.log(
    `border error: median ${borders[borders.length >> 1]?.toFixed(2)} s, 90 % ${borders[Math.floor(borders.length * 0.9)]?.toFixed(2)} s`,
  );
  for (const [mode, [count, hits]] of modes) console.log(`  ${mode}: ${hits} of ${count} excerpts`);
  for (const [key, count] of roles) console.log(`  role ${key}: ${count}`);
}

/** Seconds of an excerpt that a match covers at the right place of the right track. */
function overlapSeconds(match: Match, excerpt: Soundtrack['excerpts'][number]): number {
  if (match.trackId !== excerpt.track) return 0;
  const from = Math.max(match.queryStartMs / 1000, excerpt.q_start);
  const to = Math.min(match.queryEndMs / 1000, excerpt.q_end);
  const heard = match.referenceStartMs / 1000 + match.speedRatio * (from - match.queryStartMs / 1000);
  const expected = excerpt.ref_start + (excerpt.speed ?? 1) * (from - excerpt.q_start);
  return to > from && Math.abs(heard - expected) <= toleranceSeconds ? to - from : 0;
}
