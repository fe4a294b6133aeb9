/** What turns evidence into a score and a probability. */
export type DecisionModel = Readonly<{
  /** What a vote adds to the score, and how many count. */
  votes: number;
  mostVotes: number;
  /** Agreement that unrelated tracks reach anyway: a rival below it was only not looked at. */
  leastRivalZ: number;
  /** Logistic model: weight of each piece of evidence, and where it stops to count. */
  intercept: number;
  score: number;
  mostScore: number;
  z: number;
  mostZ: number;
  size: number;
  nominal: number;
  share: number;
  leastShare: number;
  contrast: number;
  mostContrast: number;
  /** Weight of agreement with the spectrogram beyond what chance reaches, and between which values it counts. */
  clear: number;
  leastClear: number;
  mostClear: number;
  sharpness: number;
  foreign: number;
  /** Probability from which a match is answered. */
  answer: number;
  /** The same where the agreement with the spectrogram is below `faint`: peaks alone may agree by a common drum loop. */
  faint: number;
  answerFaint: number;
  /** Probability from which no deeper level is searched, where the query has at least this share of the reference's peaks. */
  certain: number;
  certainShare: number;
}>;

/** Constants of the decision, fitted by test/quality/fingerprint/fit_decision.py; part of the fingerprint's version. */
export const decisionModel: DecisionModel = {
  votes: 0.1,
  mostVotes: 40,
  leastRivalZ: 4,
  intercept: -14.1957,
  score: 0.6772,
  mostScore: 25,
  z: -0.2186,
  mostZ: 30,
  size: 1.45,
  nominal: 2.0181,
  share: 2.0757,
  leastShare: 0.4,
  contrast: 0.4168,
  mostContrast: 10,
  clear: 0,
  leastClear: 15,
  mostClear: 45,
  sharpness: 0,
  foreign: 0,
  answer: 0.95,
  faint: -Infinity,
  answerFaint: 0.95,
  certain: 0.995,
  certainShare: 1 / 3,
};

/**
 * The same for queries whose spectrum was kept. It is asked where peaks are in doubt, so a faint agreement must be surer: of
 * the fitted negatives none came above 0.69, of unseen ones a few with little agreement with the spectrogram came up to 0.99.
 */
export const spectralDecisionModel: DecisionModel = {
  ...decisionModel,
  leastRivalZ: 0,
  intercept: -14.9476,
  score: 0.2448,
  z: 0,
  size: 2.266,
  nominal: 1.1555,
  share: 1.707,
  contrast: 0.0231,
  clear: 0.115,
  sharpness: 5.5819,
  foreign: -11.6579,
  faint: 12,
  answerFaint: 0.995,
  certain: 0.98,
  certainShare: 0,
};
