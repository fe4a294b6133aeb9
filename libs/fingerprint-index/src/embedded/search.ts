import { fingerprintConfig, VoteTable } from '@earmark/fingerprint';
import type { TrackId } from '@earmark/kernel';
import type { IndexCandidate, IndexQuery } from '../port.js';
import { keyOfHash } from './delta.js';
import { HitBatch, sortProbes, type ProbeList } from './hits.js';
import { LiveSegment, type PostingSource } from './index-state.js';
import { limitProbes } from './probe-budget.js';
import { chunkAt, granuleBits, positionLimit } from './track-table.js';

/** Free positions between two sources on the common axis, so that their votes stay apart. */
const sourceGap = 8192;
const centsPerStep = 1200 / fingerprintConfig.stepsPerOctave;

/** Which granules of a source a query may see; kept until the source or the question changes. */
type Visibility = { key: string; granules: Uint8Array };

/** Buffers of one query at a time. */
type Workspace = { readonly hits: HitBatch; votes: VoteTable | undefined };

/** Finds candidates in a set of sources; owns the buffers that queries use again and again. */
export class Searcher {
  private readonly free: Workspace[] = [];
  private readonly visibility = new WeakMap<PostingSource, Visibility>();

  /**
   * Looks up all hashes in all sources and lets the hits vote on one axis of positions on which the sources lie one
   * after the other.
   */
  async candidates(
    sources: readonly PostingSource[],
    query: IndexQuery,
    k: number,
  ): Promise<IndexCandidate[]> {
    const probes = withinBudget(sortProbes(query.landmarks.hashes.map(keyOfHash)), sources, query);
    const found: IndexCandidate[] = [];
    const space = this.free.pop() ?? { hits: new HitBatch(), votes: undefined };
    const { hits } = space;
    try {
      for (const group of groupByAxis(sources)) {
        const votes = (space.votes ??= new VoteTable(query.landmarks, query.lengthFrames));
        votes.restart(query.landmarks, query.lengthFrames);
        for (const { source, base } of group) {
          hits.count = 0;
          await source.lookup(probes, hits);
          const visible = this.visible(source, query);
          votes.addAll(hits, base, visible && { bits: granuleBits, visible });
        }
        for (const proposal of votes.proposals(k)) {
          const candidate = this.resolve(group, proposal);
          if (candidate) found.push(candidate);
        }
      }
    } finally {
      this.free.push(space);
    }
    found.sort((a, b) => b.evidence - a.evidence);
    return found.slice(0, k);
  }

  private resolve(
    group: readonly { source: PostingSource; base: number }[],
    proposal: { position: number; place: number; speed: number; pitch: number; votes: number },
  ): IndexCandidate | undefined {
    const owner = group.findLast(({ base }) => base <= proposal.place);
    if (!owner) return undefined;
    const place = proposal.place - owner.base;
    if (place >= owner.source.tracks.positions) return undefined;
    const track = owner.source.tracks.tracks[owner.source.tracks.ordinalAt(place)];
    return {
      // Ids were checked on their way in.
      trackId: track.trackId as TrackId,
      chunk: chunkAt(track, place - track.base + track.firstFrame),
      evidence: proposal.votes,
      offsetFrames: proposal.position - owner.base - track.base + track.firstFrame,
      speed: proposal.speed,
      pitchCents: proposal.pitch * centsPerStep,
    };
  }

  /** For each granule 1 when its track is alive and asked for; undefined when that holds for all. */
  private visible(source: PostingSource, query: IndexQuery): Uint8Array | undefined {
    const { tracks, dead } = source;
    const key = [tracks.tracks.length, dead.size, query.tenantId, ...(query.catalogIds ?? ['*'])].join(' ');
    const known = this.visibility.get(source);
    if (known?.key === key) return known.granules.length === 0 ? undefined : known.granules;
    const granules = new Uint8Array(tracks.positions / (1 << granuleBits));
    let hidden = 0;
    tracks.tracks.forEach((track, ordinal) => {
      const asked =
        !dead.has(ordinal) &&
        track.tenantId === query.tenantId &&
        (!query.catalogIds || query.catalogIds.some((id) => id === track.catalogId));
      if (asked) granules.fill(1, track.base >>> granuleBits, (track.base + track.span) / (1 << granuleBits));
      else hidden++;
    });
    const kept = hidden === 0 ? new Uint8Array(0) : granules;
    this.visibility.set(source, { key, granules: kept });
    return hidden === 0 ? undefined : kept;
  }
}

function withinBudget(
  probes: ProbeList,
  sources: readonly PostingSource[],
  { postingBudget }: IndexQuery,
): ProbeList {
  if (postingBudget === undefined) return probes;
  const directories = sources.flatMap((source) =>
    source instanceof LiveSegment
      ? [{ firstHashes: source.reader.directory, postings: source.reader.footer.landmarks }]
      : [],
  );
  return limitProbes(probes, directories, postingBudget);
}

/** Lays sources out on axes of 32-bit positions; one axis holds about 27,000 h. */
function groupByAxis(sources: readonly PostingSource[]): { source: PostingSource; base: number }[][] {
  const groups: { source: PostingSource; base: number }[][] = [];
  let end = Infinity;
  for (const source of sources) {
    if (source.tracks.tracks.length === 0) continue;
    if (end + source.tracks.positions + sourceGap > positionLimit) {
      groups.push([]);
      end = sourceGap;
    }
    groups[groups.length - 1].push({ source, base: end });
    end += source.tracks.positions + sourceGap;
  }
  return groups;
}
