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
  /** Probability from which a match is answered. */
  answer: number;
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
  answer: 0.7,
};

/** The same for queries whose spectrum was kept. */
export const spectralDecisionModel: DecisionModel = {
  ...decisionModel,
  leastRivalZ: 0,
  intercept: -12.7284,
  score: 0.3646,
  z: 0,
  size: 1.3028,
  nominal: 1.9124,
  share: 4.732,
  contrast: 0.1079,
};
