export * from './config.js';
export * from './peaks.js';
export * from './peak-codec.js';
export { PeakExtractor } from './peak-extractor.js';
export type * from './landmarks.js';
export type { FrameRange } from './landmark-shapes.js';
export { chunkFrames, chunkRanges, indexDensity, indexLandmarks } from './index-landmarks.js';
export { queryLandmarks, type QueryDepth } from './query-landmarks.js';
export {
  VoteTable,
  changeLimits,
  type FoundPostings,
  type PositionMask,
  type Proposal,
} from './vote-table.js';
export { centsPerStep, type Candidate, type CandidateSource, type PeakSource } from './candidate.js';
export { MemoryIndex } from './memory-index.js';
export {
  QueryRaster,
  referencePeaks,
  type Agreement,
  type Alignment,
  type ReferencePeaks,
} from './query-raster.js';
export { verify, type Verified } from './verification.js';
export { identify, type IdentifyOptions } from './identify.js';
export { relationOf, type Match, type MatchRelation, type MatchRole } from './match.js';
export { searchLevels, type SearchLevel } from './search-levels.js';
export type { Place } from './place.js';
export { search, ReferenceCache, type SearchResult, type SearchSources } from './search.js';
export { scan, type ScanOptions } from './scan.js';
export { scanWindows } from './scan-windows.js';
export { mixHash, unmixHash } from './hash-cells.js';
export { isPairCode, pairCells, tripleCells } from './landmark-cells.js';
export {
  compareRecordings,
  duplicateRule,
  findDuplicate,
  isDuplicate,
  type Duplicate,
  type Sameness,
} from './duplicates.js';
export { alignDocuments, type DocumentProposal } from './align-documents.js';
export { ShiftProfile, type Standing } from './shift-profile.js';
export { decisionModel, spectralDecisionModel, type DecisionModel } from './decision-model.js';
export { roleEvidence, roleOf, type RoleEvidence } from './role.js';
export { missingPeaks, type MissingPeaks } from './missing-peaks.js';
export { SpectralAgreement } from './spectral-agreement.js';
export { levelDb, mostSpectrumFrames, spectrumBins, type SpectrumLevels } from './spectrum.js';
export { probabilityOf, type Decision, type Evidence } from './decision.js';
