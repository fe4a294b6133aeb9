import { errorCode } from '@earmark/kernel';
import type { Match } from '@earmark/monitoring';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { clockText } from '../output.js';
import { matchText } from '../match-text.js';
import type { DemoContext, DemoStep } from './step.js';

/** An excerpt that the video is known to hold. */
type Excerpt = Readonly<{
  track: string;
  queryStartMs: number;
  queryEndMs: number;
  referenceStartMs: number;
  speedRatio: number;
  role: string;
}>;

type Truth = Readonly<{
  matches: readonly Excerpt[];
  foreign: readonly { startMs: number; endMs: number }[];
}>;

/** Borders may be this far off: fades have no exact border. */
const borderToleranceMs = 3000;
const offsetToleranceMs = 300;

/** Scans the sample video and compares with what is in it. */
export const scanStep: DemoStep = {
  title: 'Find them in a video: speech, fades, a gap, one excerpt 4 % faster, foreign music',
  async run(context) {
    const { samplesDir, say } = context;
    const truth = JSON.parse(await readFile(join(samplesDir, 'video', 'demo.truth.json'), 'utf8')) as Truth;
    const { video, matches } = await scanVideo(context);
    say(`  scanned ${video}`);
    for (const match of matches) say(`  ${matchText(match)}`);
    say();
    let good = true;
    for (const excerpt of truth.matches) {
      const found = matches.find((match) => agrees(match, excerpt));
      good &&= found !== undefined;
      const where = `${clockText(excerpt.queryStartMs)}-${clockText(excerpt.queryEndMs)}`;
      say(`  ${found === undefined ? 'MISSED' : 'found '}  ${where}  ${excerpt.track} (${excerpt.role})`);
    }
    const wrong = matches.filter((match) => !truth.matches.some((excerpt) => agrees(match, excerpt)));
    for (const match of wrong) say(`  WRONG   ${matchText(match)}`);
    if (wrong.length === 0) say('  the foreign music, the speech and the gap were left alone');
    say(
      good && wrong.length === 0
        ? '  => agrees with the ground truth'
        : '  => does NOT agree with the ground truth',
    );
    return good && wrong.length === 0;
  },
};

/** The mp4 where AAC can be decoded, else the webm. */
async function scanVideo(context: DemoContext): Promise<{ video: string; matches: readonly Match[] }> {
  const scan = async (video: string): Promise<{ video: string; matches: readonly Match[] }> => {
    const { engine, samplesDir, signal } = context;
    const path = join(samplesDir, 'video', video);
    return { video, matches: (await engine.scanFile({ tenantId: engine.tenantId, path, signal })).matches };
  };
  try {
    return await scan('demo.mp4');
  } catch (error) {
    if (!isNeedsFfmpeg(error)) throw error;
    context.say('  AAC needs FFmpeg, which this machine lacks: taking the webm');
    return scan('demo.webm');
  }
}

function isNeedsFfmpeg(error: unknown): boolean {
  return errorCode(error) === 'media.codec-needs-ffmpeg';
}

function agrees(match: Match, excerpt: Excerpt): boolean {
  const referenceAtStart =
    match.referenceStartMs + (excerpt.queryStartMs - match.queryStartMs) * match.speedRatio;
  return (
    match.path === excerpt.track &&
    Math.abs(match.queryStartMs - excerpt.queryStartMs) < borderToleranceMs &&
    Math.abs(match.queryEndMs - excerpt.queryEndMs) < borderToleranceMs &&
    Math.abs(referenceAtStart - excerpt.referenceStartMs) < offsetToleranceMs &&
    Math.abs(match.speedRatio - excerpt.speedRatio) < 0.005
  );
}
