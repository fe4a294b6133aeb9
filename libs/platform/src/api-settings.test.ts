import { expect, it } from 'vitest';
import { apiSettingsFrom } from './api-settings.js';

it('runs on loopback without any variable', () => {
  expect(apiSettingsFrom({})).toMatchObject({
    host: '127.0.0.1',
    port: 8420,
    dataDir: '.earmark',
    withWorker: true,
  });
});

it('names every bad variable in one message', () => {
  const read = () =>
    apiSettingsFrom({ EARMARK_PORT: 'x', EARMARK_LOG_LEVEL: 'loud', EARMARK_MAX_CLIP_BYTES: '0' });
  expect(read).toThrow(/EARMARK_PORT.*EARMARK_LOG_LEVEL.*EARMARK_MAX_CLIP_BYTES/);
});
