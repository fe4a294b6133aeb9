import { chmod } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FfmpegDecoder } from './ffmpeg-decoder.js';
import { FfmpegLog } from './ffmpeg-log.js';
import { fixture, ScratchFolder } from './testing/sound-files.js';

describe('FfmpegDecoder with a program that misbehaves', () => {
  let scratch: ScratchFolder;
  beforeAll(async () => {
    scratch = await ScratchFolder.make();
  });
  afterAll(() => scratch.remove());

  const decoderRunning = async (name: string, script: string) => {
    const program = await scratch.write(name, `#!/bin/sh\n${script}\n`);
    await chmod(program, 0o755);
    return new FfmpegDecoder({ ffmpeg: program, ffprobe: program, version: 'none' });
  };

  it('gives up on one that says nothing, and ends it', async () => {
    const decoder = await decoderRunning('mute', 'exec sleep 60');
    const started = performance.now();
    const blocks = decoder.decode(fixture('clicks.mp3'), { stallTimeoutMs: 50 });
    await expect(blocks.next()).rejects.toMatchObject({ code: 'media.stalled' });
    await expect(decoder.probe(fixture('clicks.mp3'), { stallTimeoutMs: 50 })).rejects.toMatchObject({
      code: 'media.stalled',
    });
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  it('kills one that ignores the polite signal', async () => {
    const decoder = await decoderRunning(
      'stubborn',
      'trap "" TERM\nwhile :; do read -r line < /dev/zero; done',
    );
    const blocks = decoder.decode(fixture('clicks.mp3'), { stallTimeoutMs: 50 });
    await expect(blocks.next()).rejects.toMatchObject({ code: 'media.stalled' });
  });

  it('reports one that fails', async () => {
    const decoder = await decoderRunning('broken', 'echo "[error] boom" >&2; exit 1');
    await expect(decoder.decode(fixture('clicks.mp3')).next()).rejects.toMatchObject({
      code: 'media.decode-failed',
    });
  });
});

describe('FfmpegLog', () => {
  it('keeps duration and problems, across pieces of text', () => {
    const log = new FfmpegLog();
    log.push('[info]   Metadata:\n[info]     title   : [error] not one\n[info]   Dura');
    log.push('tion: 01:00:02.50, start: 0.0\n[mp3float @ 0x55aa] [error] Header missing\n[warning] odd');
    log.end();
    expect(log.declaredMs).toBe(3_602_500);
    expect(log.warnings).toEqual(['Header missing', 'odd']);
    expect(log.errors).toEqual(['Header missing']);
  });

  it('trusts no duration that was guessed from the bitrate', () => {
    const log = new FfmpegLog();
    log.push(
      '[mp3 @ 0x1] [warning] Estimating duration from bitrate, this may be inaccurate\n[info]   Duration: 00:00:09.00\n',
    );
    expect(log.declaredMs).toBeUndefined();
    expect(log.warnings).toEqual([]);
  });

  it('keeps at most 32 different problems', () => {
    const log = new FfmpegLog();
    for (let i = 0; i < 1_000; i++) log.push(`[error] problem ${i % 50}\n`);
    expect(log.warnings).toHaveLength(32);
  });
});
