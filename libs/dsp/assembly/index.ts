// Inner loops of @earmark/dsp. Memory is laid out by the host (src/wasm-*.ts); nothing is allocated here. One instance
// serves one object, so that the module's globals are that object's settings.
export { resample } from './resample';
export { largestMagnitude, mixDown } from './samples';
export { setUpFft } from './fft';
export { setUpPeaks, findPeaks } from './peaks';
export { setUpMel, melFrames } from './mel';
