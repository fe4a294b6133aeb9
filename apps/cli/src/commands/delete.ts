import { DomainError, parseId } from '@earmark/kernel';
import type { Command } from '../command.js';
import { forEachInput, required, withEngine } from './session.js';

class TrackNotFoundError extends DomainError {
  readonly code = 'catalog.not-found';
}

/** `earmark delete`: tracks by id, from catalog and index. */
export const deleteCommand: Command = {
  name: 'delete',
  usage: 'delete TRACK... [--json]',
  summary: 'Removes tracks (by id) from the catalog and the index.',
  run: (args, output) =>
    withEngine(args, 'write', (engine, signal) =>
      forEachInput(
        required(args, 'track id'),
        { label: 'delete', concurrency: 1, output, signal },
        async (text) => {
          const trackId = parseId('track', text);
          if (!(await engine.deleteTrack(engine.tenantId, trackId))) {
            throw new TrackNotFoundError(`there is no track ${trackId}`);
          }
          output.result({ trackId, status: 'deleted' }, () => `${trackId} deleted`);
          return 0;
        },
      ),
    ),
};
