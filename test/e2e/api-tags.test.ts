import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { samples } from '../support/earmark.ts';
import { ApiServer, form } from './api-server.ts';

type Tagging = Readonly<{
  durationMs: number;
  sentence: { en: string; zh: string };
  tags: readonly Readonly<{
    facet: string;
    tag: string;
    score: number;
    verdict?: string;
    segments: unknown[];
  }>[];
  segments?: readonly Readonly<{ startMs: number; endMs: number }>[];
}>;

const metal = join(samples, 'tracks', 'metal-david04.opus');
const fileForm = (file: string): FormData => form(new Uint8Array(readFileSync(file)), basename(file));
let api: ApiServer;
let path = '';

beforeAll(async () => {
  api = await ApiServer.start();
  const made = await api.call('/v1/tracks', { form: fileForm(metal), headers: { prefer: 'wait=60' } });
  expect(made.status).toBe(201);
  path = made.headers.get('location') ?? '';
});
afterAll(() => api.stop());

describe('tags', () => {
  it('of an ingested track come with places in time, narrowed by facet and score', async () => {
    const { status, body } = await api.call<Tagging>(`${path}/tags?level=segment`);
    expect(status).toBe(200);
    expect(body.sentence.en).not.toBe('');
    expect(body.tags.map(({ tag }) => tag)).toContain('music');
    expect(body.segments?.[0]).toMatchObject({ startMs: 0, endMs: 5000 });
    const moods = await api.call<Tagging>(`${path}/tags?facet=mood&minScore=0.3`);
    expect(moods.body.tags.every(({ facet, score }) => facet === 'mood' && score >= 0.3)).toBe(true);
    await api.expectProblem(`${path}/tags?facet=smell`, {}, 422, 'request.invalid');
  });

  it('take verdicts of people, which outlive what the model says and can be taken back', async () => {
    const before = await api.call<Tagging>(`${path}/tags`);
    const [first] = before.body.tags;
    const put = (tag: string, json: unknown) =>
      api.call<Tagging>(`${path}/tags/${tag}`, { method: 'PUT', json });
    const rejected = await put(first?.tag ?? '', { facet: first?.facet, verdict: 'rejected' });
    expect(rejected.body.tags.map(({ tag }) => tag)).not.toContain(first?.tag);
    const confirmed = await put('happy', { facet: 'mood', verdict: 'confirmed' });
    expect(confirmed.body.tags).toContainEqual(
      expect.objectContaining({ tag: 'happy', score: 1, verdict: 'confirmed' }),
    );
    await put('happy', { facet: 'mood', verdict: null });
    const back = await put(first?.tag ?? '', { facet: first?.facet, verdict: null });
    expect(back.body.tags).toEqual(before.body.tags);
    const unknown = { method: 'PUT', json: { facet: 'mood', verdict: 'confirmed' } };
    await api.expectProblem(`${path}/tags/no-such-mood`, unknown, 422, 'request.invalid');
  });

  it('are exported as JAMS', async () => {
    const { body } = await api.call<{ annotations: { namespace: string }[] }>(`${path}/tags.jams`);
    expect(body.annotations.length).toBeGreaterThan(0);
    expect(body.annotations.every(({ namespace }) => namespace === 'tag_open')).toBe(true);
  });

  it('of a file that is not kept are answered at once', async () => {
    const { status, body } = await api.call<Tagging>('/v1/tag', { form: fileForm(metal) });
    expect(status).toBe(200);
    expect(Math.abs(body.durationMs - 48_000)).toBeLessThan(50);
    const bad = { form: form('this is no music', 'text.mp3') };
    await api.expectProblem('/v1/tag', bad, 415, 'media.not-media');
  });

  it('have a vocabulary with labels in two languages', async () => {
    const { body } = await api.call<{ concepts: { label: { en: string; zh: string } }[] }>('/v1/ontology');
    expect(body.concepts.length).toBeGreaterThan(90);
    expect(body.concepts.every(({ label }) => label.en !== '' && label.zh !== '')).toBe(true);
  });
});
