import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { basename, delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { FfmpegPrograms } from './ffmpeg-decoder.js';

const run = promisify(execFile);

/**
 * Finds FFmpeg with its ffprobe.
 *
 * @param ffmpegPath the program to use; where absent, the first `ffmpeg` in `searchPath`
 * @param searchPath folders separated as in PATH, default PATH itself
 * @returns undefined where there is none that runs
 */
export async function locateFfmpeg(
  ffmpegPath?: string,
  searchPath: string = process.env['PATH'] ?? '',
): Promise<FfmpegPrograms | undefined> {
  const ffmpeg = ffmpegPath ?? (await firstExecutable('ffmpeg', searchPath));
  if (ffmpeg === undefined) return undefined;
  const beside = join(dirname(ffmpeg), basename(ffmpeg).replace('ffmpeg', 'ffprobe'));
  const ffprobe = (await isExecutable(beside)) ? beside : await firstExecutable('ffprobe', searchPath);
  if (ffprobe === undefined) return undefined;
  try {
    const { stdout } = await run(ffmpeg, ['-version'], { timeout: 10_000 });
    return { ffmpeg, ffprobe, version: /^ffmpeg version (\S+)/.exec(stdout)?.[1] ?? 'unknown' };
  } catch {
    return undefined;
  }
}

async function firstExecutable(name: string, searchPath: string): Promise<string | undefined> {
  for (const folder of searchPath.split(delimiter)) {
    const candidate = join(folder, process.platform === 'win32' ? `${name}.exe` : name);
    if (folder !== '' && (await isExecutable(candidate))) return candidate;
  }
  return undefined;
}

function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
