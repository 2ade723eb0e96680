import { randomBytes } from 'node:crypto';
import { formatUuid, uuidV7 } from '../../src/event/uuid.js';

const CALLERS = 8;

export interface Load {
  answered: number;
  /** Ids that were acknowledged. */
  acknowledged: number;
  /** Answers that are neither the good one nor none at all. */
  broken: string[];
  /** Callers that found nobody, or lost their connection, and went on no more. */
  gone: number;
  stop(): Promise<void>;
}

/** Callers that go on until they find nobody there, or their connection ended. */
export function startLoad(url: string, path: string, newBody: () => unknown): Load {
  let isStopped = false;
  const load: Load = { answered: 0, acknowledged: 0, broken: [], gone: 0, stop };
  const call = async (): Promise<void> => {
    while (!isStopped) {
      try {
        const response = await fetch(`${url}${path}`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(newBody()),
        });
        await response.text();
        load.answered += 1;
        if (response.status === 202) load.acknowledged += 1;
        else if (response.status !== 200) load.broken.push(`status ${response.status}`);
      } catch {
        load.gone += 1;
        return;
      }
    }
  };
  const calling = Promise.all(Array.from({ length: CALLERS }, call));
  async function stop(): Promise<void> {
    isStopped = true;
    await calling;
  }
  return load;
}

export const outcome = () => ({
  outcomes: [
    {
      event_id: formatUuid(uuidV7(Date.now(), randomBytes(16))),
      occurred_at: Date.now(),
      model: 'gpt-4o',
      provider: 'openai',
      duration_ms: 500,
    },
  ],
});
export const request = () => ({ model: 'gpt-4o' });
