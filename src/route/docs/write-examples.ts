export interface Example {
  body?: object;
  answer?: object;
}

const offering = 'gpt-4o|openai||';
const decisionId = '019b7698-c4fa-7c3e-a5a5-5cbd1a0ad0e5';
const taken = { accepted: 1, rejected: 0, errors: [] };
const state = {
  version: 7,
  vector: { 'airouter.outcomes.v1': [3, 4] },
  generation: 'v1.1.1.1',
};

/** Of the operations that write the log. */
export const WRITE_EXAMPLES: Readonly<Record<string, Example>> = {
  writeOutcomes: {
    body: {
      outcomes: [
        {
          event_id: decisionId,
          occurred_at: 1_767_225_600_000,
          model: 'gpt-4o',
          provider: 'openai',
          operation: 'chat',
          stream: true,
          http_status: 200,
          duration_ms: 2140,
          ttft_ms: 380,
          input_tokens: 1200,
          output_tokens: 310,
          decision: { decision_id: decisionId, rank: 0, propensity: 0.95 },
        },
      ],
    },
    answer: taken,
  },
  writeInflight: {
    body: {
      inflight: [
        {
          emitter: '019b7698-a000-7000-8000-000000000009',
          offering,
          tick: 353_445_120,
          started: 12,
          in_flight: 5,
          overdue: 1,
          oldest_ms: 71_000,
        },
      ],
    },
    answer: taken,
  },
  writeDecisions: {
    body: {
      decisions: [
        {
          decision_id: decisionId,
          decided_at: 1_767_225_600_123,
          as_of: 1_767_225_600_000,
          strategy: 'auto',
          algorithm: 'auto/7',
          state,
          request: '{"model":"gpt-4o"}',
          unit: 'decision',
          eligible: [{ offering, mass: 1_048_576 }],
          slate: [offering],
        },
      ],
    },
    answer: taken,
  },
};
