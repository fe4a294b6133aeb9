import { DomainError } from '@earmark/kernel';
import type { ConceptId } from './concept.js';

/** What can be wrong with a vocabulary. */
export type OntologyFault =
  | 'tagging.duplicate-concept'
  | 'tagging.unknown-concept'
  | 'tagging.cyclic-relation'
  | 'tagging.contradicting-relation'
  | 'tagging.duplicate-synonym';

/** A vocabulary that contradicts itself; `subjects` are the concepts or labels at fault. */
export class OntologyError extends DomainError {
  constructor(
    readonly code: OntologyFault,
    message: string,
    readonly subjects: readonly string[],
  ) {
    super(message);
  }
}

/** A tag or label that the vocabulary does not have. */
export class UnknownTagError extends DomainError {
  readonly code = 'tagging.unknown-tag';

  constructor(readonly label: string) {
    super(`the vocabulary has no tag "${label}"`);
  }
}

/** A label that means several concepts. */
export class AmbiguousLabelError extends DomainError {
  readonly code = 'tagging.ambiguous-label';

  constructor(
    readonly label: string,
    readonly candidates: readonly ConceptId[],
  ) {
    super(`"${label}" may mean ${candidates.join(' or ')}: name one of them`);
  }
}
