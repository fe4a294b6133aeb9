/** Constants of the decision, fitted by test/quality/fingerprint/fit_decision.py; part of the fingerprint's version. */
export const decisionModel = {
  /** What a vote adds to the score, and how many count. */
  votes: 0.1,
  mostVotes: 40,
  /** Agreement that unrelated tracks reach anyway: a rival below it was only not looked at. */
  leastRivalZ: 4,
  /** Logistic model: intercept, weight of the score, of the agreement (capped), of the logarithm of peaks compared. */
  intercept: -6,
  score: 1.3,
  z: 0,
  mostZ: 30,
  size: 0,
  /** Probability from which a match is answered. */
  answer: 0.5,
} as const;
