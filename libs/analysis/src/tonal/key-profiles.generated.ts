/**
 * Profiles of major and minor from the tonic: 12 weights of all notes, 12 of the bass;
 * made by training/beat/fit_key_profiles.py.
 */
export const keyProfiles: readonly (readonly number[])[] = [
  [1.4204, -0.5682, -0.0248, -0.7152, 0.5452, 0.1858, -0.2900, 0.9580, -0.6000, -0.0108, -0.5812, -0.3192, 0.6057, 0.0334, -0.0313, -0.3152, -0.0022, 0.0237, -0.0855, 0.3293, -0.2466, -0.0689, -0.1458, -0.0965],
  [1.7904, -0.6613, -0.0925, 0.9978, -0.3902, -0.1644, -0.6928, 0.7204, -0.0716, -0.7731, -0.1281, -0.5345, 0.5705, -0.3185, -0.0422, 0.1895, -0.1578, -0.0281, -0.1254, 0.3199, -0.0157, -0.2379, -0.0376, -0.1167],
];
/** Bias of major and of minor. */
export const keyBias: readonly number[] = [-0.2682, 0.2682];
