import { conceptsOf } from './concept.js';

/** What is heard at all; silence is measured, not guessed by a model. */
export const activities = conceptsOf('activity', [
  ['speech', 'speech', '讲话'],
  ['music', 'music', '音乐'],
  ['silence', 'silence', '静音'],
]);
