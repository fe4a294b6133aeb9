/** Which end of the window touches the seam: the end of a tail, the start of a head. */
export type Side = 'tail' | 'head';
