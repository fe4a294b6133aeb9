const maxComplaints = 200;

/** Result of a call with the complaints it made. */
export type QuietResult<T> = Readonly<{ value: T; complaints: number }>;

class TooManyComplaints extends Error {}

/**
 * Runs a synchronous call of a WASM decoder with `console.error` held back: these packages print every damaged packet and
 * offer no switch. Counting also ends a decoder that would complain for ever about the same bytes.
 *
 * @returns undefined in place of the value where the decoder threw or complained more than 200 times
 */
export function quietly<T>(work: () => T): QuietResult<T | undefined> {
  const print = console.error;
  let complaints = 0;
  console.error = () => {
    if (++complaints > maxComplaints) throw new TooManyComplaints();
  };
  try {
    return { value: work(), complaints };
  } catch {
    return { value: undefined, complaints: complaints + 1 };
  } finally {
    console.error = print;
  }
}
