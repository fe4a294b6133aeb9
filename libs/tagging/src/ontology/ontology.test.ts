import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { conceptId, facets, isFacet, type ConceptId, type OntologyData } from './concept.js';
import { AmbiguousLabelError, OntologyError, UnknownTagError } from './ontology-error.js';
import { ontologyV1, ontologyV1Data } from './ontology-v1.js';
import { loadOntology } from './ontology.js';

const small = (change: Partial<OntologyData['relations']>): OntologyData => ({
  ...ontologyV1Data,
  relations: { isA: [], partOf: [], excludes: [], opposedTo: [], coOccurs: [], ...change },
});

function fault(data: OntologyData): OntologyError {
  try {
    loadOntology(data);
  } catch (error) {
    if (error instanceof OntologyError) return error;
    throw error;
  }
  throw new Error('accepted');
}

describe('vocabulary 1', () => {
  it('names each concept once in English and Chinese, with an ASCII key', () => {
    expect(ontologyV1.concepts).toHaveLength(105);
    for (const { tag, label } of ontologyV1.concepts) {
      expect(tag).toMatch(/^[a-z]+(-[a-z]+)*$/);
      expect(label.en).toMatch(/^[\x20-\x7e]+$/);
      expect(label.zh).toMatch(/\p{Script=Han}/u);
    }
    expect(new Set(ontologyV1.concepts.map(({ facet }) => facet))).toEqual(new Set(facets));
  });

  it('gives every source label of the training targets one concept, or refuses it as ambiguous', () => {
    const table = new URL('../../../../training/tagging/targets.tsv', import.meta.url);
    const [header, ...rows] = readFileSync(table, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => line.split('\t'));
    const sources = ['audioset', 'jamendo', 'msd', 'mtat'].map((name) => header.indexOf(name));
    let ambiguous = 0;
    let resolved = 0;
    for (const row of rows) {
      const [facet, tag] = row;
      if (!isFacet(facet)) throw new Error(`facet ${facet}`);
      expect(ontologyV1.has(facet, tag)).toBe(true);
      for (const label of sources.flatMap((column) => (row[column] ?? '').split(';').filter(Boolean))) {
        try {
          expect(ontologyV1.has(...splitId(ontologyV1.resolve(label)))).toBe(true);
          resolved++;
        } catch (error) {
          if (!(error instanceof AmbiguousLabelError)) throw error;
          expect(error.candidates).toContain(conceptId(facet, tag));
          ambiguous++;
        }
      }
    }
    expect(resolved).toBeGreaterThan(200);
    expect(ambiguous).toBeGreaterThan(10);
  });

  it('finds a concept by key, tag, either name or synonym, in any case', () => {
    for (const label of ['mood/relaxing-calm', 'relaxing-calm', '放松平静', 'MELLOW', 'Relaxing  and calm'])
      expect(ontologyV1.resolve(label)).toBe('mood/relaxing-calm');
  });

  it('refuses an ambiguous label and names the candidates, unless a facet settles it', () => {
    expect(() => ontologyV1.resolve('dance')).toThrow(AmbiguousLabelError);
    expect(() => ontologyV1.resolve('dance')).toThrow(/genre\/edm-dance or scene\/party-dance/);
    expect(ontologyV1.resolve('dance', 'scene')).toBe('scene/party-dance');
  });

  it('refuses a label that it does not know', () => {
    expect(() => ontologyV1.resolve('vaporwave')).toThrow(UnknownTagError);
    expect(() => ontologyV1.resolve('happy', 'genre')).toThrow(UnknownTagError);
    expect(() => ontologyV1.concept('mood/vaporwave')).toThrow(UnknownTagError);
  });

  it('inherits parents and exclusions along is-a', () => {
    expect([...ontologyV1.ancestorsOf('genre/house')].sort()).toEqual([
      'genre/edm-dance',
      'genre/electronic',
    ]);
    expect(ontologyV1.excludedBy('instrument/choir').has('instrument/instrumental')).toBe(true);
    expect(ontologyV1.opposedTo('mood/sad').has('mood/happy')).toBe(true);
    expect(ontologyV1.companionsOf('mood/epic').has('scene/trailer-action')).toBe(true);
    expect(ontologyV1.wholesOf('instrument/harp').has('genre/orchestral-soundtrack')).toBe(true);
  });
});

describe('check of a vocabulary', () => {
  it('names a cycle', () => {
    const error = fault(
      small({
        isA: [
          ['genre/rock', 'genre/pop'],
          ['genre/pop', 'genre/jazz'],
          ['genre/jazz', 'genre/rock'],
        ],
      }),
    );
    expect(error.code).toBe('tagging.cyclic-relation');
    expect(error.message).toContain('genre/rock -> genre/pop -> genre/jazz -> genre/rock');
  });

  it('names a concept that a relation needs and the vocabulary lacks', () => {
    const error = fault(small({ partOf: [['instrument/theremin', 'genre/rock']] }));
    expect(error.code).toBe('tagging.unknown-concept');
    expect(error.subjects).toEqual(['instrument/theremin']);
  });

  it('refuses a concept defined twice and a label claimed twice', () => {
    const [first] = ontologyV1Data.concepts;
    expect(fault({ ...small({}), concepts: [...ontologyV1Data.concepts, first] }).code).toBe(
      'tagging.duplicate-concept',
    );
    const thief = { ...first, tag: 'other', label: { en: 'other', zh: '其他' }, synonyms: ['Rock Music'] };
    const error = fault({ ...small({}), concepts: [...ontologyV1Data.concepts, thief] });
    expect(error.code).toBe('tagging.duplicate-synonym');
    expect(error.subjects).toEqual(['rock music', 'genre/rock', 'genre/other']);
  });

  it('refuses a child that excludes its parent', () => {
    const pair: readonly [ConceptId, ConceptId] = ['genre/metal', 'genre/rock'];
    expect(fault(small({ isA: [pair], excludes: [pair] })).code).toBe('tagging.contradicting-relation');
  });

  it('finds names in a sentence, the longest first, in both languages', () => {
    const { concepts, words } = ontologyV1.findIn('Calm piano for Drum and Bass 放松平静 夜曲 groovy');
    expect(concepts).toEqual([
      ['mood/relaxing-calm'],
      ['instrument/piano'],
      ['genre/bass-dnb'],
      ['mood/relaxing-calm'],
      ['genre/funk', 'mood/cool-groovy'],
    ]);
    expect(words).toEqual(['for', '夜曲']);
  });
});

function splitId(id: ConceptId): [string, string] {
  const [facet, tag] = id.split('/');
  return [facet, tag];
}
