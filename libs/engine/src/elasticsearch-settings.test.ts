import { describe, expect, it } from 'vitest';
import { engineSettingsFrom } from './settings.js';

const settingsOf = (environment: Record<string, string>): unknown =>
  engineSettingsFrom(environment).elasticsearch;

describe('settings of the Elasticsearch index', () => {
  it('are absent without a cluster, and when files are chosen all the same', () => {
    expect(settingsOf({})).toBeUndefined();
    expect(settingsOf({ ELASTICSEARCH_URL: '' })).toBeUndefined();
    expect(
      settingsOf({ ELASTICSEARCH_URL: 'http://127.0.0.1:9200', EARMARK_INDEX: 'embedded' }),
    ).toBeUndefined();
  });

  it('take several nodes and a key', () => {
    expect(
      settingsOf({
        ELASTICSEARCH_URL: 'https://one:9200, https://two:9200',
        ELASTICSEARCH_API_KEY: 'secret',
        EARMARK_ELASTICSEARCH_SHARDS: '12',
      }),
    ).toEqual({
      connection: { nodes: ['https://one:9200', 'https://two:9200'], apiKey: 'secret' },
      prefix: 'earmark',
      shards: 12,
      replicas: '0-1',
    });
  });

  it('leave the search of entry points in memory until it is put there, too', () => {
    const ELASTICSEARCH_URL = 'http://127.0.0.1:9200';
    const EARMARK_HEAD_INDEX = 'elasticsearch';
    expect(engineSettingsFrom({ ELASTICSEARCH_URL }).headIndex).toBe('memory');
    expect(engineSettingsFrom({ ELASTICSEARCH_URL, EARMARK_HEAD_INDEX }).headIndex).toBe('elasticsearch');
    expect(() => engineSettingsFrom({ EARMARK_HEAD_INDEX })).toThrow(/EARMARK_HEAD_INDEX/);
    expect(() => engineSettingsFrom({ EARMARK_HEAD_INDEX: 'disk' })).toThrow(/EARMARK_HEAD_INDEX/);
  });

  it('name every bad variable at once', () => {
    expect(() =>
      settingsOf({
        EARMARK_INDEX: 'elasticsearch',
        EARMARK_ELASTICSEARCH_PREFIX: 'Not Allowed',
        EARMARK_ELASTICSEARCH_SHARDS: '0',
        EARMARK_ELASTICSEARCH_REPLICAS: '1',
        ELASTICSEARCH_CA_FILE: '/nowhere.pem',
      }),
    ).toThrow(/ELASTICSEARCH_URL.*CA_FILE.*PREFIX.*SHARDS.*REPLICAS/);
    expect(() => settingsOf({ EARMARK_INDEX: 'files' })).toThrow(/EARMARK_INDEX/);
    expect(() => settingsOf({ ELASTICSEARCH_URL: 'cluster:9200' })).toThrow(/ELASTICSEARCH_URL/);
  });
});
