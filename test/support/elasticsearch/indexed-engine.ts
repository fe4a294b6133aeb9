import { type Engine, fingerprintConfigId, openEngine } from '@earmark/engine';
import { encodePeaks, framesToMs } from '@earmark/fingerprint';
import { ElasticsearchCluster, type ChunkSource, type FoundChunk } from '@earmark/fingerprint-index';
import { certainTracks, seededPeaks, seededQuery, seededTrack } from '@earmark/fingerprint-index/testing';
import type { CatalogId, TrackId } from '@earmark/kernel';
import { openTestDatabase, type TestDatabase } from '@earmark/storage/testing';
import { createHash } from 'node:crypto';

const lengthFrames = 4300;

/** An engine on a cluster, fed with made-up recordings, and a second handle that looks them up. */
export class IndexedEngine {
  readonly engine: Engine;
  readonly database: TestDatabase;
  /** The installation's indexes, as another process would open them. */
  readonly cluster: ElasticsearchCluster;
  readonly installation: string;
  private readonly catalogId: CatalogId;
  private readonly tracks: Map<TrackId, number>;

  private constructor(
    engine: Engine,
    database: TestDatabase,
    cluster: ElasticsearchCluster,
    installation: string,
    catalogId: CatalogId,
    tracks: Map<TrackId, number>,
  ) {
    this.engine = engine;
    this.database = database;
    this.cluster = cluster;
    this.installation = installation;
    this.catalogId = catalogId;
    this.tracks = tracks;
  }

  /** @param nodes HTTP addresses of the cluster */
  static async open(nodes: readonly string[], shards: number): Promise<IndexedEngine> {
    const database = await openTestDatabase();
    const elasticsearch = { connection: { nodes }, prefix: 'test', shards, replicas: '0-1' };
    const { dataDir, databaseUrl } = database;
    const engine = await openEngine({
      dataDir,
      databaseUrl,
      elasticsearch,
      concurrency: 1,
      access: 'write',
      tagOnIngest: false,
      analyzeOnIngest: false,
    });
    const installation = `test-${engine.tenantId.slice(engine.tenantId.indexOf('_') + 1).toLowerCase()}`;
    const tracks = new Map<TrackId, number>();
    const cluster = new ElasticsearchCluster({
      connection: { nodes },
      installation,
      chunks: chunksOf(tracks),
    });
    const catalogId = await engine.ensureCatalog();
    return new IndexedEngine(engine, database, cluster, installation, catalogId, tracks);
  }

  /** Takes in the made-up recording of a seed; resolves when it can be found. */
  async ingest(seed: number): Promise<TrackId> {
    const peaks = seededPeaks(seed, lengthFrames);
    const record = {
      path: `seed-${seed}`,
      durationMs: framesToMs(lengthFrames),
      contentHash: createHash('sha256').update(String(seed)).digest('hex'),
      fingerprintConfigId,
      peaks: encodePeaks(peaks),
    };
    const target = { tenantId: this.engine.tenantId, catalogId: this.catalogId, allowDuplicates: true };
    const { trackId } = await this.engine.ingestFingerprint(record, target);
    this.tracks.set(trackId, seed);
    return trackId;
  }

  /** Tracks that the index finds for an excerpt of a seed's recording. */
  find(seed: number): Promise<TrackId[]> {
    return certainTracks(this.cluster.index, seededQuery(seed, { tenantId: this.engine.tenantId }));
  }

  async close(): Promise<void> {
    await this.engine.close();
    await this.cluster.close();
    await this.database.end();
  }
}

function chunksOf(tracks: ReadonlyMap<TrackId, number>): ChunkSource {
  return {
    chunksAt: (places) =>
      Promise.resolve(
        places.flatMap(({ trackId, chunk }): readonly FoundChunk[] => {
          const seed = tracks.get(trackId);
          return seed === undefined
            ? []
            : seededTrack(trackId, seed, { lengthFrames }).slice(chunk, chunk + 1);
        }),
      ),
  };
}
