import { describe, expect, it } from 'vitest';
import { decisionModel, spectralDecisionModel } from './decision-model.js';
import { isAnswered, probabilityOf, type Evidence } from './decision.js';
import { relationOf } from './match.js';

const clear: Evidence = {
  z: 40,
  rivalZ: 5,
  votes: 300,
  expected: 300,
  share: 0.9,
  nominal: true,
  contrast: 20,
};
const chance: Evidence = {
  z: 7,
  rivalZ: 6,
  votes: 8,
  expected: 300,
  share: 0.1,
  nominal: false,
  contrast: 3,
};

describe('probabilityOf', () => {
  it('is certain of a clear find and of chance', () => {
    expect(probabilityOf(clear)).toBeGreaterThan(0.999);
    expect(probabilityOf(chance)).toBeLessThan(0.05);
  });

  it('falls when another track agrees as well', () => {
    const rivalled = { ...clear, z: 15, rivalZ: 14, share: 0.25 };
    expect(probabilityOf(rivalled)).toBeLessThan(decisionModel.answer);
    expect(probabilityOf({ ...rivalled, rivalZ: 5 })).toBeGreaterThan(decisionModel.answer);
  });

  it('believes nominal speed and a place of its own more', () => {
    const weak = { ...chance, z: 11, contrast: 5 };
    expect(probabilityOf({ ...weak, nominal: true })).toBeGreaterThan(probabilityOf(weak));
    expect(probabilityOf({ ...weak, contrast: 8 })).toBeGreaterThan(probabilityOf(weak));
  });
});

describe('probabilityOf with the spectrogram', () => {
  it('believes in noise what peaks alone do not, and not what the spectrogram denies', () => {
    const faint = { ...chance, z: 10, rivalZ: 5, votes: 10, nominal: true };
    expect(probabilityOf(faint)).toBeLessThan(decisionModel.answer);
    const heard = { ...faint, rivalZ: 0, sharpness: 0.5, foreign: 0.2 };
    expect(probabilityOf({ ...heard, z: 20, contrast: 5, spectral: 12 })).toBeGreaterThan(
      spectralDecisionModel.answer,
    );
    expect(probabilityOf({ ...heard, z: -6, spectral: -16 })).toBeLessThan(0.2);
  });

  it('takes a place for chance when the rest of the query is music that stands still', () => {
    const heard = { ...chance, z: 24, rivalZ: 0, nominal: true, sharpness: 0.4, spectral: 12, foreign: 0.15 };
    expect(probabilityOf(heard)).toBeGreaterThan(spectralDecisionModel.answer);
    expect(probabilityOf({ ...heard, foreign: 0.5 })).toBeLessThan(spectralDecisionModel.answer);
  });
});

describe('isAnswered', () => {
  it('wants to be surer where the spectrogram hardly agrees', () => {
    expect(isAnswered({ ...chance, spectral: 12 }, 0.97)).toBe(true);
    expect(isAnswered({ ...chance, spectral: 5 }, 0.97)).toBe(false);
    expect(isAnswered({ ...chance, spectral: 5 }, 0.997)).toBe(true);
    expect([0.93, 0.97].map((probability) => isAnswered(chance, probability))).toEqual([false, true]);
  });
});

describe('relationOf', () => {
  const line = { offset: 0, speed: 0.94, pitch: -3, z: 24, expected: 300, share: 0.4, sharpness: 0.4 };

  it('takes blurred peaks at another tempo for a version', () => {
    expect(relationOf(line)).toBe('version');
  });

  it('takes exact peaks at another speed, echoes at nominal speed and weak finds for the recording', () => {
    expect(relationOf({ ...line, sharpness: 0.85 })).toBe('recording');
    expect(relationOf({ ...line, speed: 1, pitch: 0 })).toBe('recording');
    expect(relationOf({ ...line, z: 9 })).toBe('recording');
  });

  const missing = { compared: 240, judged: 150, softer: 0.3, missing: 0.2 };

  it('takes what lacks peaks that nothing covers for a version, at the same tempo too', () => {
    expect(relationOf({ ...line, speed: 1, pitch: 0 }, missing)).toBe('version');
    expect(relationOf({ ...line, sharpness: 0.55, pitch: 0 }, missing)).toBe('version');
    expect(relationOf({ ...line, sharpness: 0.65 }, { ...missing, softer: 0.03, missing: 0.01 })).toBe(
      'version',
    );
  });

  it('takes blurred peaks of which none is missing, or too few can be judged, for the recording', () => {
    expect(relationOf(line, { ...missing, softer: 0, missing: 0 })).toBe('recording');
    expect(relationOf(line, { ...missing, judged: 40 })).toBe('recording');
    expect(relationOf({ ...line, speed: 1, pitch: 0 }, { ...missing, missing: 0.05 })).toBe('recording');
  });
});
