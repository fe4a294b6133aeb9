import type { RecordingRights } from '@earmark/catalog';

/**
 * Whether a recording may be played in a market on a day; without rights it may.
 *
 * @param market ISO 3166-1 alpha-2; absent: territories do not matter
 * @param day `YYYY-MM-DD`
 */
export function isAvailable(
  rights: RecordingRights | undefined,
  market: string | undefined,
  day: string,
): boolean {
  if (rights === undefined) return true;
  const { territories, validFrom, validTo } = rights;
  if (validFrom !== undefined && day < validFrom) return false;
  if (validTo !== undefined && day > validTo) return false;
  return market === undefined || territories === undefined || territories.includes(market);
}
