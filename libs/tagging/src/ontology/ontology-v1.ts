import { activities } from './activities.js';
import type { OntologyData } from './concept.js';
import { genres } from './genres.js';
import { instruments } from './instruments.js';
import { moods } from './moods.js';
import { loadOntology } from './ontology.js';
import { ambiguousLabels, relations } from './relations.js';
import { scenes } from './scenes.js';

/** Data of vocabulary version 1: 105 concepts in five facets. */
export const ontologyV1Data: OntologyData = {
  id: 'earmark',
  version: '1.0.0',
  concepts: [...genres, ...scenes, ...instruments, ...moods, ...activities],
  relations,
  ambiguousLabels,
};

/** The vocabulary that this version of Earmark speaks. */
export const ontologyV1 = loadOntology(ontologyV1Data);
