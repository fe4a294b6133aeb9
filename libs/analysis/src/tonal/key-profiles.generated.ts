/**
 * Profiles of major and minor from the tonic: 12 weights of all notes, 12 of the bass;
 * made by training/beat/fit_key_profiles.py.
 */
export const keyProfiles: readonly (readonly number[])[] = [
  [1.3542, -0.5348, -0.0052, -0.6296, 0.5055, 0.2023, -0.3362, 0.8693, -0.5523, -0.0219, -0.5715, -0.2799, 0.4630, 0.0124, -0.0385, -0.2227, 0.0370, 0.0107, -0.0480, 0.2567, -0.1963, -0.0399, -0.1450, -0.0893],
  [1.6274, -0.6268, -0.0229, 0.9039, -0.4380, -0.1588, -0.6338, 0.6247, -0.0421, -0.6703, -0.1458, -0.4175, 0.5466, -0.2572, -0.0346, 0.1979, -0.0849, -0.0513, -0.1087, 0.2352, -0.0353, -0.2512, -0.0120, -0.1446],
];
/** Bias of major and of minor. */
export const keyBias: readonly number[] = [-0.2513, 0.2513];
