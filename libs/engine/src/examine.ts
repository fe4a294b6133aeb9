import { errorCode } from '@earmark/kernel';
import { locateFfmpeg } from '@earmark/media';
import type { EngineSettings } from './settings.js';
import { openEngine } from './open-engine.js';

/** One thing that the machine has, lacks, or has in a state that stops the work. */
export type Finding = Readonly<{ name: string; state: 'ok' | 'missing' | 'broken'; detail: string }>;

/** Looks at everything that Earmark needs or can use. */
export async function examine(settings: EngineSettings): Promise<readonly Finding[]> {
  return [nodeFinding(), await ffmpegFinding(settings), ...(await dataFindings(settings))];
}

function nodeFinding(): Finding {
  const good = Number(process.versions.node.split('.')[0]) >= 24;
  return {
    name: 'node',
    state: good ? 'ok' : 'broken',
    detail: `${process.version} (24 or later is needed)`,
  };
}

async function ffmpegFinding({ ffmpegPath }: EngineSettings): Promise<Finding> {
  const programs = ffmpegPath === '' ? undefined : await locateFfmpeg(ffmpegPath);
  return programs === undefined
    ? {
        name: 'ffmpeg',
        state: 'missing',
        detail: 'wav, mp3, flac, ogg, opus and webm are decoded without it; AAC (m4a, mp4) needs it',
      }
    : { name: 'ffmpeg', state: 'ok', detail: programs.ffmpeg };
}

async function dataFindings(settings: EngineSettings): Promise<Finding[]> {
  try {
    const engine = await openEngine({ ...settings, access: 'read' });
    try {
      const { kind, serverVersion } = engine.database;
      const { status, details } = await engine.health();
      const about = Object.entries(details).map(([key, value]) => `${key} ${value}`);
      return [
        { name: 'database', state: 'ok', detail: `${kind} PostgreSQL ${serverVersion}` },
        { name: 'index', state: status === 'down' ? 'broken' : 'ok', detail: [status, ...about].join(', ') },
      ];
    } finally {
      await engine.close();
    }
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    const code = errorCode(error);
    return [
      {
        name: code.startsWith('index.') ? 'index' : 'database',
        state: 'broken',
        detail: `${detail} [${code}]`,
      },
    ];
  }
}
