/**
 * `node decide-digest.js FILE`: decides the requests of a file on the state that it holds, and prints
 * the SHA-256 of all answers. One more process, to compare with others.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { asAiRouterError } from '../../src/errors.js';
import { uuidV8 } from '../../src/event/uuid.js';
import { answerOf } from '../../src/route/answer.js';
import { BoardCache } from '../../src/route/board-cache.js';
import { decide } from '../../src/route/decide.js';
import { type SavedState, snapshotOfSaved } from '../../src/route/recompute.js';
import type { RouteRequest } from '../../src/route/request.js';

const STALE_AFTER_MS = 10_000;

export interface Asked {
  request: RouteRequest;
  atMs: number;
}

export interface DigestFile {
  state: SavedState;
  /** Ids follow from it and the requests' own. */
  seed: string;
  asked: readonly Asked[];
}

/** The answers' texts, one by one; of an error its code. */
export function* decideAll({ state, seed, asked }: DigestFile): Generator<string> {
  const snapshot = snapshotOfSaved(state);
  const boards = new BoardCache();
  for (const { request, atMs } of asked) {
    try {
      const decided = decide({
        board: boards.boardOf(snapshot, Math.floor(atMs / 1000), request.stream),
        decidedAtMs: atMs,
        staleAfterMs: STALE_AFTER_MS,
        tenant: '',
        request,
        decisionId: uuidV8(seed, request.request_id),
      });
      yield JSON.stringify(answerOf({ decided, snapshot, decidedAtMs: atMs, isPreview: false }));
    } catch (error) {
      yield asAiRouterError(error).code;
    }
  }
}

const path = process.argv[2];
if (path !== undefined && process.argv[1]?.endsWith('decide-digest.js') === true) {
  const hash = createHash('sha256');
  const file = JSON.parse(readFileSync(path, 'utf8')) as DigestFile;
  for (const answer of decideAll(file)) hash.update(`${answer}\n`);
  process.stdout.write(hash.digest('hex'));
}
