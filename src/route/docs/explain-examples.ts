import type { Example } from './write-examples.js';

const offering = 'gpt-4o|openai||';
const lane = {
  version: 7,
  vector: { 'airouter.outcomes.v1': [3, 4] },
  writtenAtMs: 1_767_225_600_000,
  writeId: '5f1c2a9e8b7d4c30',
};

const EXPLANATION = {
  strategy: 'auto',
  algorithm: 'auto/7',
  variants: [{ name: '', mass: 1_048_576 }],
  candidates: [
    {
      offering,
      tier: 0,
      order: 'drawn',
      mass: 1_048_576,
      later_mass: 1_048_576,
      score: 8_100_000,
      terms: [
        { name: 'cost', value: 6_000_000, unit: 'nano_usd' },
        { name: 'success_ratio', value: 0.98, unit: 'ratio' },
      ],
      size_time_ratio: 1,
      samples: 55,
      window_ms: 1_800_000,
      changed: false,
      alternative: null,
      age_ms: 0,
      breaker: { state: 'closed', share: 1, reason: null },
    },
  ],
  excluded: [],
};

/** Of the operations that explain; `answer` is the example of an answer of `POST /v1/route`. */
export const explainExamples = (answer: object): Readonly<Record<string, Example>> => ({
  explain: {
    body: { request: { model: 'gpt-4o', seed: 'what if' } },
    answer: { ...answer, decision_id: null, explain: EXPLANATION, recomputed: null },
  },
  getState: {
    answer: {
      generation: 'v1.1.1.1',
      state: {
        epoch: '0d7c0e4a2b9f4d11',
        revision: 12,
        writeId: lane.writeId,
        lanes: { health: lane, metrics: lane },
      },
      values: { models: '{"models":[],"aliases":{},"offerings":[]}' },
    },
  },
});
