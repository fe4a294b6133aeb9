/** Windows of a scan, in frames: 10.2 s long, every 5.1 s. */
export const scanWindows = { length: 440, hop: 220 } as const;
