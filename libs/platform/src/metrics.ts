import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** What the API counts, in the text format of Prometheus. */
export class ApiMetrics {
  readonly registry = new Registry();
  /** Time to answer, by method, route pattern and status. */
  readonly requestSeconds = new Histogram({
    name: 'earmark_http_request_seconds',
    help: 'Time to answer a request',
    labelNames: ['method', 'route', 'status'] as const,
    buckets: [0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 15, 60],
    registers: [this.registry],
  });
  /** Bytes of media received. */
  readonly receivedBytes = new Counter({
    name: 'earmark_received_bytes_total',
    help: 'Bytes of media received',
    registers: [this.registry],
  });

  /** @param jobDepth gives the number of unfinished jobs; asked at each scrape */
  constructor(jobDepth: () => Promise<Readonly<{ queued: number; running: number }>>) {
    collectDefaultMetrics({ register: this.registry, prefix: 'earmark_' });
    new Gauge({
      name: 'earmark_jobs',
      help: 'Unfinished jobs by state',
      labelNames: ['state'] as const,
      registers: [this.registry],
      async collect() {
        const depth = await jobDepth();
        this.set({ state: 'queued' }, depth.queued);
        this.set({ state: 'running' }, depth.running);
      },
    });
  }
}
