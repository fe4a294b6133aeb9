import { HeardTrack } from './heard-track.js';
import {
  balance,
  defaultShiftRule,
  findMoodBorders,
  nameBorders,
  type NamedBorder,
  shiftAt,
  type ShiftRule,
} from './mood-shifts.js';
import { conceptId, facets, type ConceptId, type Facet } from './ontology/concept.js';
import { UnknownTagError } from './ontology/ontology-error.js';
import { ontologyV1 } from './ontology/ontology-v1.js';
import type { Ontology } from './ontology/ontology.js';
import { repairTags } from './repair.js';
import {
  rangesWhere,
  rounded,
  totalMs,
  windowOf,
  zoneOf,
  type ScoredRange,
  type SegmentGrid,
} from './segment-grid.js';
import { describeParts, describeShift, type SentencePart, type SentenceSubject } from './sentence.js';
import type {
  AllScores,
  Ambiguity,
  MoodShift,
  ScoredTag,
  TaggedSegment,
  TagResult,
  TrackTag,
} from './tag-result.js';
import type { SegmentOutputs, TaggerModel } from './tagger-model.js';

/** How outputs become tags. */
export type TagOptions = Readonly<{
  /** Adds every tag's score for track and segments, and the embedding. */
  all?: boolean;
  /** Says experimental tags too. */
  experimental?: boolean;
  /** Default: the vocabulary of this version. */
  ontology?: Ontology;
  shiftRule?: ShiftRule;
}>;

/** What holds this long counts for the track, even if the mean does not reach the threshold. */
const { heldShare, heldRunMs } = defaultShiftRule;
/** Share of a threshold from which a facet without a tag is called ambiguous rather than empty. */
const ambiguousShare = 0.6;
const mostCandidates = 3;

type Moment = Readonly<{
  tags: ReadonlyMap<ConceptId, number>;
  ambiguous: readonly (readonly [ConceptId, ConceptId])[];
}>;

/**
 * Turns what a model heard into the tags of a track: calibrated, consistent with the vocabulary, with times, shifts and
 * a sentence. Without music there is no genre, scene, instrument or mood.
 *
 * @throws {ShapeError} if the outputs are not the model's
 * @throws {UnknownTagError} if the model has a tag that the vocabulary lacks
 */
export function tagTrack(model: TaggerModel, outputs: SegmentOutputs, options: TagOptions = {}): TagResult {
  return new TrackTagger(model, outputs, options).result();
}

class TrackTagger {
  private readonly heard: HeardTrack;
  private readonly ontology: Ontology;
  private readonly grid: SegmentGrid;
  /** Indices of the tags that may be said; never activities. */
  private readonly sayable: readonly number[];
  private readonly borders: readonly NamedBorder[];
  private readonly moments: readonly Moment[];

  constructor(
    private readonly model: TaggerModel,
    private readonly outputs: SegmentOutputs,
    private readonly options: TagOptions,
  ) {
    this.ontology = options.ontology ?? ontologyV1;
    for (const { facet, tag } of model.tags)
      if (!this.ontology.has(facet, tag)) throw new UnknownTagError(`${facet}/${tag}`);
    this.heard = new HeardTrack(model, outputs);
    const { durationMs, count } = outputs;
    this.grid = { durationMs, count, windowMs: model.windowMs, hopMs: model.hopMs };
    this.sayable = model.tags.flatMap(({ facet, experimental }, t) =>
      facet !== 'activity' && (options.experimental === true || !experimental) ? [t] : [],
    );
    const borders = findMoodBorders(this.heard, this.ontology, options.shiftRule ?? defaultShiftRule);
    this.heard.adjust(balance(this.heard, borders));
    const moods = this.sayable.filter((t) => model.tags[t].facet === 'mood');
    this.borders = nameBorders(this.heard, borders, moods);
    this.moments = this.#moments();
  }

  result(): TagResult {
    const { heard, model, outputs, ontology, options } = this;
    const hasMusic = heard.musicSegments.length > 0;
    const tags = [...(hasMusic ? this.#musicTags() : []), ...this.#activityTags()].sort(byFacetAndScore);
    const plainShifts = this.borders.map((border) => shiftAt(heard, border));
    const parts = this.#parts(tags, plainShifts);
    const shifts = plainShifts.map((shift, i) => ({
      ...shift,
      sentence: describeShift(ontology, parts[i], parts[i + 1]),
    }));
    return {
      durationMs: outputs.durationMs,
      model: { id: model.id, version: model.version },
      ontology: { id: ontology.id, version: ontology.version },
      tags,
      segments: Array.from({ length: outputs.count }, (_, k) => this.#segment(k)),
      shifts,
      ambiguous: hasMusic ? this.#undecided(tags) : [],
      sentence: describeParts(ontology, this.#subject(), parts),
      ...(options.all === true && {
        scores: this.#allScores((t) => heard.trackScores[t], heard.silent.every(Boolean)),
        embedding: Array.from(heard.meanEmbedding(), (value) => rounded(value)),
      }),
    };
  }

  #idOf(t: number): ConceptId {
    return conceptId(this.model.tags[t].facet, this.model.tags[t].tag);
  }

  /** What is said in each segment, made consistent. */
  #moments(): readonly Moment[] {
    const said = this.sayable.map((t) => this.heard.saidOf(t));
    return this.heard.music.map((music, k) => {
      if (!music) return { tags: new Map(), ambiguous: [] };
      const scores = new Map<ConceptId, number>();
      this.sayable.forEach((t, i) => {
        if (said[i][k]) scores.set(this.#idOf(t), this.heard.scoreAt(k, t));
      });
      return repairTags(this.ontology, scores, true);
    });
  }

  #rangesOf(id: ConceptId): ScoredRange[] {
    return rangesWhere(
      this.grid,
      (k) => this.moments[k].tags.has(id),
      (k) => this.moments[k].tags.get(id) ?? 0,
    );
  }

  #musicTags(): TrackTag[] {
    const { heard, model } = this;
    const scores = new Map<ConceptId, number>();
    for (const t of this.sayable) {
      const score = heard.trackScores[t];
      if (score >= model.tags[t].threshold) scores.set(this.#idOf(t), score);
    }
    const moments = new Set(this.moments.flatMap(({ tags }) => [...tags.keys()]));
    for (const id of moments) {
      const { facet } = this.ontology.concept(id);
      if (facet !== 'mood' && facet !== 'instrument') continue;
      const ranges = this.#rangesOf(id);
      if (!this.#isHeld(ranges)) continue;
      const mean = ranges.reduce((sum, r) => sum + r.score * (r.endMs - r.startMs), 0) / totalMs(ranges);
      scores.set(id, Math.max(scores.get(id) ?? 0, mean));
    }
    // Moods on either side of a shift belong to the track, whether or not they reach their thresholds there.
    const shifting = this.#shiftingPlaces();
    for (const [id, [{ score }]] of shifting) scores.set(id, Math.max(scores.get(id) ?? 0, score));
    // Opposed moods may both belong to a track, but only if each has a place of its own.
    const placed = new Map([...scores].filter(([id]) => shifting.has(id) || !this.#isOverruled(id, scores)));
    const everywhere = rangesWhere(
      this.grid,
      (k) => heard.music[k],
      () => 1,
    );
    return [...repairTags(this.ontology, placed, false).tags].map(([id, score]) => {
      const { facet, tag } = this.ontology.concept(id);
      const said = this.#rangesOf(id);
      const ranges = said.length > 0 ? said : (shifting.get(id) ?? []);
      const segments =
        ranges.length > 0 ? ranges : everywhere.map((range) => ({ ...range, score: rounded(score) }));
      return { facet, tag, score: rounded(score), segments };
    });
  }

  /** Where the moods on either side of shifts hold, as wholes. */
  #shiftingPlaces(): ReadonlyMap<ConceptId, readonly [ScoredRange, ...ScoredRange[]]> {
    const places = new Map<ConceptId, [ScoredRange, ...ScoredRange[]]>();
    const add = (t: number, segments: readonly number[]): void => {
      const sum = segments.reduce((total, k) => total + this.heard.scoreAt(k, t), 0);
      const range = {
        startMs: zoneOf(this.grid, segments[0]).startMs,
        endMs: zoneOf(this.grid, segments[segments.length - 1]).endMs,
        score: rounded(sum / segments.length),
      };
      const known = places.get(this.#idOf(t));
      if (known === undefined) places.set(this.#idOf(t), [range]);
      else if (!known.some(({ startMs }) => startMs === range.startMs)) known.push(range);
    };
    const sayable = (t: number): boolean => this.sayable.includes(t);
    for (const { before, after, from, to } of this.borders) {
      for (const t of from.filter(sayable)) add(t, before);
      for (const t of to.filter(sayable)) add(t, after);
    }
    return places;
  }

  #isHeld(ranges: readonly ScoredRange[]): boolean {
    return (
      totalMs(ranges) >= heldShare * this.grid.durationMs ||
      ranges.some(({ startMs, endMs }) => endMs - startMs >= heldRunMs)
    );
  }

  #isOverruled(id: ConceptId, scores: ReadonlyMap<ConceptId, number>): boolean {
    const rivals = [...this.ontology.opposedTo(id)].filter((other) => scores.has(other));
    return rivals.length > 0 && this.moments.every(({ tags }) => !tags.has(id));
  }

  #activityTags(): TrackTag[] {
    const { heard } = this;
    const states = [
      ['speech', heard.speech],
      ['music', heard.music],
      ['silence', heard.silent],
    ] as const;
    return states.flatMap(([tag, flags]) => {
      const segments = rangesWhere(
        this.grid,
        (k) => flags[k],
        (k) => this.#activityScore(tag, k),
      );
      if (segments.length === 0 || !this.#isHeld(segments)) return [];
      const weighted = segments.reduce((sum, r) => sum + r.score * (r.endMs - r.startMs), 0);
      const score = this.grid.durationMs > 0 ? weighted / totalMs(segments) : 1;
      return [{ facet: 'activity' as const, tag, score: rounded(score), segments }];
    });
  }

  #activityScore(tag: 'speech' | 'music' | 'silence', k: number): number {
    const t = this.heard.indexOf('activity', tag);
    return tag === 'silence' || t < 0 ? 1 : this.heard.scoreAt(k, t);
  }

  #segment(k: number): TaggedSegment {
    const { heard, outputs } = this;
    const moment = this.moments[k];
    const tags: ScoredTag[] = [...moment.tags].map(([id, score]) => {
      const { facet, tag } = this.ontology.concept(id);
      return { facet, tag, score: rounded(score) };
    });
    const activity = (tag: 'speech' | 'music' | 'silence'): ScoredTag => ({
      facet: 'activity',
      tag,
      score: rounded(this.#activityScore(tag, k)),
    });
    if (heard.speech[k]) tags.push(activity('speech'));
    if (heard.music[k]) tags.push(activity('music'));
    if (heard.silent[k]) tags.push(activity('silence'));
    const descriptors = outputs.descriptors?.[k];
    return {
      ...windowOf(this.grid, k),
      tags: tags.sort(byFacetAndScore),
      ...(moment.ambiguous.length > 0 && { ambiguous: this.#ambiguitiesOf(moment, k) }),
      ...(descriptors !== undefined && { descriptors }),
      ...(this.options.all === true && {
        scores: this.#allScores((t) => heard.scoreAt(k, t), heard.silent[k]),
      }),
    };
  }

  #ambiguitiesOf(moment: Moment, k: number): Ambiguity[] {
    return moment.ambiguous.map((pair) => ({
      facet: this.ontology.concept(pair[0]).facet,
      candidates: pair.map((id) => {
        const { facet, tag } = this.ontology.concept(id);
        return { tag, score: rounded(this.heard.scoreAt(k, this.heard.indexOf(facet, tag))) };
      }),
    }));
  }

  /** Facets in which nothing is said although some tags come close. */
  #undecided(tags: readonly TrackTag[]): Ambiguity[] {
    return facets.flatMap((facet) => {
      if (tags.some((tag) => tag.facet === facet)) return [];
      const candidates = this.sayable
        .filter(
          (t) =>
            this.model.tags[t].facet === facet &&
            this.heard.trackScores[t] >= ambiguousShare * this.model.tags[t].threshold,
        )
        .map((t) => ({ tag: this.model.tags[t].tag, score: rounded(this.heard.trackScores[t]) }))
        .sort((x, y) => y.score - x.score)
        .slice(0, mostCandidates);
      return candidates.length > 0 ? [{ facet, candidates }] : [];
    });
  }

  #allScores(scoreOf: (t: number) => number, silent: boolean): AllScores {
    const scores: Partial<Record<Facet, Record<string, number>>> = {};
    this.model.tags.forEach(({ facet, tag }, t) => {
      (scores[facet] ??= {})[tag] = rounded(scoreOf(t));
    });
    (scores.activity ??= {}).silence = silent ? 1 : 0;
    return scores;
  }

  #subject(): SentenceSubject {
    const { heard } = this;
    if (heard.music.some(Boolean)) return 'music';
    if (heard.speech.some(Boolean)) return 'speech';
    return heard.silent.every(Boolean) ? 'silence' : 'nothing';
  }

  #parts(tags: readonly TrackTag[], shifts: readonly MoodShift[]): readonly SentencePart[] {
    const starts = [0, ...shifts.map(({ atMs }) => atMs)];
    return starts.map((startMs, i) => {
      const endMs = starts[i + 1] ?? this.grid.durationMs;
      const share = (ranges: readonly ScoredRange[]): number =>
        ranges.reduce(
          (sum, r) => sum + Math.max(0, Math.min(r.endMs, endMs) - Math.max(r.startMs, startMs)),
          0,
        ) / Math.max(1, endMs - startMs);
      const here = (facet: Facet): readonly string[] =>
        tags
          .filter((tag) => tag.facet === facet && share(tag.segments) >= 0.4)
          .sort((x, y) => y.score * share(y.segments) - x.score * share(x.segments))
          .map(({ tag }) => tag);
      const moods = i === 0 ? here('mood') : [...shifts[i - 1].to, ...here('mood')];
      const opening = i === 0 && shifts.length > 0 ? [...shifts[0].from, ...moods] : moods;
      const speech = tags.find(({ facet, tag }) => facet === 'activity' && tag === 'speech');
      return {
        startMs,
        moods: opening,
        genres: i === 0 ? here('genre') : [],
        instruments: this.#sources(here('instrument')),
        speech: speech !== undefined && share(speech.segments) >= 0.3,
      };
    });
  }

  /** Instruments worth naming: no parents of others, not the mere absence of singing. */
  #sources(instruments: readonly string[]): readonly string[] {
    const ids = instruments.map((tag) => conceptId('instrument', tag));
    return instruments.filter(
      (tag) =>
        tag !== 'instrumental' &&
        !ids.some((id) => this.ontology.ancestorsOf(id).has(conceptId('instrument', tag))),
    );
  }
}

function byFacetAndScore(x: ScoredTag, y: ScoredTag): number {
  return facets.indexOf(x.facet) - facets.indexOf(y.facet) || y.score - x.score;
}
