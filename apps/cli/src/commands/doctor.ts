import { examine } from '@earmark/engine';
import type { Command } from '../command.js';
import { readSettings } from '../settings.js';

/** `earmark doctor`: what the machine has and what is missing. */
export const doctorCommand: Command = {
  name: 'doctor',
  usage: 'doctor [--json]',
  summary: 'Says what this machine has (Node, FFmpeg, database, index) and what is missing.',
  async run(args, output) {
    const findings = await examine(readSettings(args));
    output.result({ findings }, () =>
      findings.map(({ name, state, detail }) => `${state.padEnd(8)}${name.padEnd(12)}${detail}`).join('\n'),
    );
    return findings.some(({ state }) => state === 'broken') ? 1 : 0;
  },
};
