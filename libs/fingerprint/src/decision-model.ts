/** Constants of the decision, fitted by test/quality/fingerprint/fit_decision.py; part of the fingerprint's version. */
export const decisionModel = {
  /** What a vote adds to the score, and how many count. */
  votes: 0.1,
  mostVotes: 40,
  /** Agreement that unrelated tracks reach anyway: a rival below it was only not looked at. */
  leastRivalZ: 4,
  /** Logistic model: weight of each piece of evidence, and where it stops to count. */
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
  /** Probability from which a match is answered. */
  answer: 0.7,
} as const;
