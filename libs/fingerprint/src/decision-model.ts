/** Constants of the decision, fitted by test/quality/fingerprint/fit_decision.py; part of the fingerprint's version. */
export const decisionModel = {
  /** What a vote adds to the score, and how many count. */
  votes: 0.1,
  mostVotes: 40,
  /** Agreement that unrelated tracks reach anyway: a rival below it was only not looked at. */
  leastRivalZ: 4,
  /** Logistic model: weight of each piece of evidence, and where it stops to count. */
  intercept: -10.6334,
  score: 0.7165,
  mostScore: 25,
  z: -0.2158,
  mostZ: 30,
  size: 0.8345,
  nominal: 2.0318,
  share: -2.1971,
  contrast: 0.428,
  mostContrast: 10,
  /** Probability from which a match is answered. */
  answer: 0.8,
} as const;
