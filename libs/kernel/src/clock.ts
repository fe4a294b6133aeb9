/** Where time comes from: the system's in apps, a fixed one in tests. */
export interface Clock {
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  nowMs(): number;
}
