/** The kinds of tag; `activity` (speech, music, silence) says whether the others apply at all. */
export const facets = ['genre', 'scene', 'instrument', 'mood', 'activity'] as const;
/** One of {@link facets}. */
export type Facet = (typeof facets)[number];

/** Stable key of a concept, `facet/tag`, ASCII. */
export type ConceptId = `${Facet}/${string}`;

/** Languages in which concepts have a name. */
export type Language = 'en' | 'zh';

/** A text in every language. */
export type Localized = Readonly<Record<Language, string>>;

/** One tag of the vocabulary. */
export type Concept = Readonly<{
  facet: Facet;
  /** Key inside its facet, ASCII kebab-case; never renamed. */
  tag: string;
  /** Name for people. */
  label: Localized;
  /** Word for a sentence: an adjective for moods, a noun for everything else; absent: the label. */
  word?: Localized;
  /** Labels of other vocabularies that mean this and nothing else here; compared without case. */
  synonyms: readonly string[];
}>;

/** How two concepts hang together. */
export type Relations = Readonly<{
  /** [child, parent]: whoever has the child has the parent. No cycles. */
  isA: readonly (readonly [ConceptId, ConceptId])[];
  /** [part, whole]: typical of the whole, implies nothing. No cycles. */
  partOf: readonly (readonly [ConceptId, ConceptId])[];
  /** Cannot hold of one recording; holds for their is-a descendants too. */
  excludes: readonly (readonly [ConceptId, ConceptId])[];
  /** Cannot hold at the same moment; in different segments it is a shift. */
  opposedTo: readonly (readonly [ConceptId, ConceptId])[];
  /** Often heard together. */
  coOccurs: readonly (readonly [ConceptId, ConceptId])[];
}>;

/** A vocabulary with its relations, as {@link loadOntology} checks it. */
export type OntologyData = Readonly<{
  id: string;
  /** Semantic version; a key that disappears or changes meaning raises the major. */
  version: string;
  concepts: readonly Concept[];
  relations: Relations;
  /** Source labels that mean several concepts: refused unless a facet settles it. */
  ambiguousLabels: Readonly<Record<string, readonly ConceptId[]>>;
}>;

/** Key of a tag in its facet. */
export function conceptId(facet: Facet, tag: string): ConceptId {
  return `${facet}/${tag}`;
}

/** Tells whether a text names a facet. */
export function isFacet(text: string): text is Facet {
  return (facets as readonly string[]).includes(text);
}

/** Compact row of the vocabulary tables: tag, English, Chinese, synonyms, and the words for a sentence. */
export type ConceptRow = readonly [
  tag: string,
  en: string,
  zh: string,
  synonyms?: readonly string[],
  word?: readonly [en: string, zh: string],
];

/** Makes the concepts of a facet from their rows. */
export function conceptsOf(facet: Facet, rows: readonly ConceptRow[]): readonly Concept[] {
  return rows.map(([tag, en, zh, synonyms = [], word]) => ({
    facet,
    tag,
    label: { en, zh },
    synonyms,
    ...(word === undefined ? {} : { word: { en: word[0], zh: word[1] } }),
  }));
}
