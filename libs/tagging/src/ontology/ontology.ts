import {
  conceptId,
  isFacet,
  type Concept,
  type ConceptId,
  type Facet,
  type OntologyData,
  type Relations,
} from './concept.js';
import { AmbiguousLabelError, OntologyError, UnknownTagError } from './ontology-error.js';

type RelationKind = keyof Relations;
type Links = ReadonlyMap<ConceptId, ReadonlySet<ConceptId>>;

const none: ReadonlySet<ConceptId> = new Set();

/** A checked vocabulary; made by {@link loadOntology}. */
export class Ontology {
  readonly id: string;
  readonly version: string;
  readonly concepts: readonly Concept[];
  private readonly byId = new Map<ConceptId, Concept>();
  private readonly byLabel = new Map<string, ConceptId>();
  private readonly manyByLabel = new Map<string, readonly ConceptId[]>();
  private readonly ancestors: Links;
  private readonly wholes: Links;
  private readonly excluded: Links;
  private readonly opposed: Links;
  private readonly companions: Links;

  /** @throws {OntologyError} as {@link loadOntology} */
  constructor(readonly data: OntologyData) {
    this.id = data.id;
    this.version = data.version;
    this.concepts = data.concepts;
    this.#indexConcepts();
    this.#indexLabels();
    for (const kind of ['isA', 'partOf', 'excludes', 'opposedTo', 'coOccurs'] as const) this.#checkEnds(kind);
    this.ancestors = closure(data.relations.isA, 'is-a');
    this.wholes = closure(data.relations.partOf, 'part-of');
    this.excluded = this.#inherit(symmetric(data.relations.excludes));
    this.opposed = symmetric(data.relations.opposedTo);
    this.companions = symmetric(data.relations.coOccurs);
    this.#checkContradictions();
  }

  /** Tells whether the vocabulary has the tag. */
  has(facet: string, tag: string): boolean {
    return isFacet(facet) && this.byId.has(conceptId(facet, tag));
  }

  /** @throws {UnknownTagError} if the vocabulary lacks it */
  concept(id: ConceptId): Concept {
    const concept = this.byId.get(id);
    if (concept === undefined) throw new UnknownTagError(id);
    return concept;
  }

  /** Everything that a concept is, without itself. */
  ancestorsOf(id: ConceptId): ReadonlySet<ConceptId> {
    return this.ancestors.get(id) ?? none;
  }

  /** Everything that a concept is part of. */
  wholesOf(id: ConceptId): ReadonlySet<ConceptId> {
    return this.wholes.get(id) ?? none;
  }

  /** What cannot hold of the same recording, inherited along is-a. */
  excludedBy(id: ConceptId): ReadonlySet<ConceptId> {
    return this.excluded.get(id) ?? none;
  }

  /** What cannot hold at the same moment. */
  opposedTo(id: ConceptId): ReadonlySet<ConceptId> {
    return this.opposed.get(id) ?? none;
  }

  /** What is often heard together with it. */
  companionsOf(id: ConceptId): ReadonlySet<ConceptId> {
    return this.companions.get(id) ?? none;
  }

  /**
   * Finds the one concept that a source label, name or key means.
   *
   * @param label any case; a key such as `mood/happy`, a name in any language, or a label of a source vocabulary
   * @param facet settles a label that means concepts of several facets
   * @throws {AmbiguousLabelError} if it means several
   * @throws {UnknownTagError} if it means nothing here
   */
  resolve(label: string, facet?: Facet): ConceptId {
    const key = normalizeLabel(label);
    const many = (this.manyByLabel.get(key) ?? []).filter(
      (id) => facet === undefined || this.concept(id).facet === facet,
    );
    if (many.length > 1) throw new AmbiguousLabelError(label, many);
    const found = many[0] ?? this.byLabel.get(key);
    if (found === undefined || (facet !== undefined && this.concept(found).facet !== facet))
      throw new UnknownTagError(label);
    return found;
  }

  /**
   * Finds names of concepts in a sentence, the longest first: "calm piano 夜曲" holds mood/relaxing-calm and
   * instrument/piano.
   *
   * @returns the concepts of each name (several where it is ambiguous), and the words that name nothing
   */
  findIn(
    sentence: string,
  ): Readonly<{ concepts: readonly (readonly ConceptId[])[]; words: readonly string[] }> {
    const concepts: (readonly ConceptId[])[] = [];
    const words: string[] = [];
    const parts = normalizeLabel(sentence).match(/[\p{Script=Han}]|[^\s\p{Script=Han}]+/gu) ?? [];
    for (let from = 0; from < parts.length;) {
      let to = Math.min(parts.length, from + longestName);
      let found: readonly ConceptId[] | undefined;
      for (; to > from; to--) {
        found = this.#named(joined(parts.slice(from, to)));
        if (found !== undefined) break;
      }
      if (found === undefined) {
        to = from + 1;
        const word = parts[from];
        // Chinese that names nothing stays together as it was written.
        const last = words.at(-1);
        if (
          isHan(word) &&
          last !== undefined &&
          from > 0 &&
          isHan(parts[from - 1]) &&
          isHan(last.at(-1) ?? '')
        )
          words[words.length - 1] = last + word;
        else words.push(word);
      } else concepts.push(found);
      from = to;
    }
    return { concepts, words };
  }

  #named(label: string): readonly ConceptId[] | undefined {
    const one = this.byLabel.get(label);
    return one === undefined ? this.manyByLabel.get(label) : [one];
  }

  #indexConcepts(): void {
    for (const concept of this.concepts) {
      const id = conceptId(concept.facet, concept.tag);
      if (this.byId.has(id))
        throw new OntologyError('tagging.duplicate-concept', `${id} is defined twice`, [id]);
      this.byId.set(id, concept);
    }
  }

  #indexLabels(): void {
    for (const [label, ids] of Object.entries(this.data.ambiguousLabels)) {
      for (const id of ids) this.#require(id, `ambiguous label "${label}"`);
      this.manyByLabel.set(normalizeLabel(label), ids);
    }
    for (const [id, { tag, label, synonyms }] of this.byId) {
      for (const text of new Set([id, tag, label.en, label.zh, ...synonyms].map(normalizeLabel))) {
        const other = this.byLabel.get(text);
        if (other !== undefined || this.manyByLabel.has(text)) {
          const owners = other === undefined ? [id] : [other, id];
          throw new OntologyError(
            'tagging.duplicate-synonym',
            `"${text}" is claimed by ${owners.join(' and ')}${other === undefined ? ', but listed as ambiguous' : ''}`,
            [text, ...owners],
          );
        }
        this.byLabel.set(text, id);
      }
    }
  }

  #require(id: ConceptId, where: string): void {
    if (!this.byId.has(id))
      throw new OntologyError('tagging.unknown-concept', `${where} names the unknown concept ${id}`, [id]);
  }

  #checkEnds(kind: RelationKind): void {
    for (const pair of this.data.relations[kind]) {
      for (const id of pair) this.#require(id, `relation ${kind}`);
      if (pair[0] === pair[1])
        throw new OntologyError('tagging.cyclic-relation', `${kind} relates ${pair[0]} to itself`, [pair[0]]);
    }
  }

  #inherit(pairs: Links): Links {
    const all = new Map<ConceptId, Set<ConceptId>>();
    const kinOf = (id: ConceptId): ConceptId[] => [
      id,
      ...[...this.byId.keys()].filter((other) => this.ancestors.get(other)?.has(id) === true),
    ];
    for (const [left, rights] of pairs) {
      for (const right of rights) for (const a of kinOf(left)) for (const b of kinOf(right)) link(all, a, b);
    }
    return all;
  }

  #checkContradictions(): void {
    for (const [child, parents] of this.ancestors) {
      for (const parent of parents) {
        if (this.excludedBy(child).has(parent) || this.opposedTo(child).has(parent)) {
          throw new OntologyError(
            'tagging.contradicting-relation',
            `${child} is a ${parent} and cannot exclude it`,
            [child, parent],
          );
        }
      }
    }
    for (const [id, others] of this.excluded) {
      if (others.has(id))
        throw new OntologyError('tagging.contradicting-relation', `${id} would exclude itself`, [id]);
    }
  }
}

/**
 * Checks a vocabulary and makes it usable.
 *
 * @throws {OntologyError} for a concept or label that is defined twice, a relation to an unknown concept, a cycle in
 * is-a or part-of, or a concept that excludes what it is
 */
export function loadOntology(data: OntologyData): Ontology {
  return new Ontology(data);
}

/** Parts of the longest name that is looked for in a sentence. */
const longestName = 10;

function isHan(text: string): boolean {
  return /^\p{Script=Han}/u.test(text);
}

/** Puts parts together again: a space between words, none between Chinese characters. */
function joined(parts: readonly string[]): string {
  return parts.reduce(
    (text, part) => text + (text === '' || (isHan(part) && isHan(text.at(-1) ?? '')) ? '' : ' ') + part,
    '',
  );
}

/** Form in which labels are compared: NFKC, lower case, single spaces. */
export function normalizeLabel(label: string): string {
  return label.normalize('NFKC').toLowerCase().trim().replace(/\s+/g, ' ');
}

function link(links: Map<ConceptId, Set<ConceptId>>, from: ConceptId, to: ConceptId): void {
  const known = links.get(from);
  if (known === undefined) links.set(from, new Set([to]));
  else known.add(to);
}

function symmetric(pairs: readonly (readonly [ConceptId, ConceptId])[]): Links {
  const links = new Map<ConceptId, Set<ConceptId>>();
  for (const [left, right] of pairs) {
    link(links, left, right);
    link(links, right, left);
  }
  return links;
}

/** All that can be reached; names the cycle if there is one. */
function closure(pairs: readonly (readonly [ConceptId, ConceptId])[], relation: string): Links {
  const direct = new Map<ConceptId, Set<ConceptId>>();
  for (const [from, to] of pairs) link(direct, from, to);
  const done = new Map<ConceptId, Set<ConceptId>>();
  const visit = (id: ConceptId, path: readonly ConceptId[]): Set<ConceptId> => {
    const known = done.get(id);
    if (known !== undefined) return known;
    if (path.includes(id)) {
      const cycle = [...path.slice(path.indexOf(id)), id];
      throw new OntologyError(
        'tagging.cyclic-relation',
        `${relation} runs in a circle: ${cycle.join(' -> ')}`,
        cycle,
      );
    }
    const reached = new Set<ConceptId>();
    for (const next of direct.get(id) ?? []) {
      reached.add(next);
      for (const further of visit(next, [...path, id])) reached.add(further);
    }
    done.set(id, reached);
    return reached;
  };
  for (const id of direct.keys()) visit(id, []);
  return done;
}
