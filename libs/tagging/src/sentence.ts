import { conceptId, type Language, type Localized } from './ontology/concept.js';
import type { Ontology } from './ontology/ontology.js';

/** A part of a track between two shifts, in the tags that matter there, the strongest first. */
export type SentencePart = Readonly<{
  startMs: number;
  moods: readonly string[];
  /** Said once, of the first part. */
  genres: readonly string[];
  instruments: readonly string[];
  /** People talk during a good part of it. */
  speech: boolean;
}>;

/** What there is to tell. */
export type SentenceSubject = 'music' | 'speech' | 'silence' | 'nothing';

const fixed: Readonly<Record<Exclude<SentenceSubject, 'music'>, Localized>> = {
  speech: { en: 'speech, no music', zh: '讲话，无音乐' },
  silence: { en: 'silence', zh: '静音' },
  nothing: { en: 'no music recognised', zh: '未识别出音乐' },
};

/**
 * Puts a time line into one sentence for a list, a screen reader or a log.
 *
 * @param parts in time order; only the first may start at 0
 * @returns such as "calm piano; from 1:12 tense strings" and "平静的钢琴；1:12 起紧张的弦乐"
 */
export function describeParts(
  ontology: Ontology,
  subject: SentenceSubject,
  parts: readonly SentencePart[],
): Localized {
  if (subject !== 'music') return fixed[subject];
  return {
    en: parts
      .map((part, i) => `${i === 0 ? '' : `from ${clockTime(part.startMs)} `}${english(ontology, part)}`)
      .join('; '),
    zh: parts
      .map((part, i) => `${i === 0 ? '' : `${clockTime(part.startMs)} 起`}${chinese(ontology, part)}`)
      .join('；'),
  };
}

/**
 * Puts a shift into one sentence, to be read where it happens.
 *
 * @returns such as "at 1:12 calm piano turns into tense strings" and "1:12，平静的钢琴转为紧张的弦乐"
 */
export function describeShift(ontology: Ontology, before: SentencePart, after: SentencePart): Localized {
  const at = clockTime(after.startMs);
  return {
    en: `at ${at} ${english(ontology, before)} turns into ${english(ontology, after)}`,
    zh: `${at}，${chinese(ontology, before)}转为${chinese(ontology, after)}`,
  };
}

/** Minutes and seconds, with hours when there are any: 1:12, 1:02:03. */
export function clockTime(timeMs: number): string {
  const seconds = Math.floor(timeMs / 1000);
  const two = (value: number): string => String(value).padStart(2, '0');
  const minutes = Math.floor(seconds / 60);
  const tail = two(seconds % 60);
  return minutes < 60 ? `${minutes}:${tail}` : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${tail}`;
}

function english(ontology: Ontology, part: SentencePart): string {
  const { mood, genre, instruments } = wordsOf(ontology, part, 'en');
  const noun = instruments.length > 0 ? instruments.join(' and ') : 'music';
  return [mood, genre, noun].filter(Boolean).join(' ') + (part.speech ? ' with speech' : '');
}

function chinese(ontology: Ontology, part: SentencePart): string {
  const { mood, genre, instruments } = wordsOf(ontology, part, 'zh');
  const noun = instruments.length > 0 ? instruments.join('与') : genre.endsWith('音乐') ? '' : '音乐';
  return `${mood}${genre}${noun}${part.speech ? '，伴有讲话' : ''}`;
}

function wordsOf(
  ontology: Ontology,
  part: SentencePart,
  language: Language,
): Readonly<{ mood: string; genre: string; instruments: readonly string[] }> {
  const wordOf = (facet: 'mood' | 'genre' | 'instrument', tag: string): string => {
    const { word, label } = ontology.concept(conceptId(facet, tag));
    return (word ?? label)[language];
  };
  const [mood] = part.moods;
  const [genre] = part.genres;
  return {
    mood: mood === undefined ? '' : wordOf('mood', mood),
    genre: genre === undefined ? '' : wordOf('genre', genre),
    instruments: part.instruments.slice(0, 2).map((tag) => wordOf('instrument', tag)),
  };
}
