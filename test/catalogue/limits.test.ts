import { describe, expect, it } from 'vitest';
import { type Limits, limitsOf, usualLimits } from '../../src/catalogue/limits.js';

const limits = (fields: Partial<Limits>): Limits => ({
  capabilities: null,
  context_tokens: null,
  output_tokens_max: null,
  ...fields,
});

describe('limitsOf', () => {
  it('names capabilities in order', () => {
    const source = {
      tool_call: true,
      reasoning: true,
      modalities: { input: ['text', 'video', 'image', 'pdf', 'audio'] },
    };
    expect(limitsOf(source).capabilities).toEqual([
      'audio_input',
      'pdf_input',
      'reasoning',
      'tools',
      'video_input',
      'vision',
    ]);
  });

  it('takes 0 and absent limits as unknown', () => {
    expect(limitsOf({ limit: { context: 0 } })).toEqual(limits({ capabilities: [] }));
  });
});

describe('usualLimits', () => {
  it('has what most offerings have', () => {
    const [a, b] = [limits({ context_tokens: 131_072 }), limits({ context_tokens: 24_000 })];
    expect(usualLimits([b, a, a, limits({})]).context_tokens).toBe(131_072);
  });

  it('has the smaller of equally frequent ones, so that it never promises too much', () => {
    const usual = usualLimits([
      limits({ context_tokens: 3_500_000, capabilities: ['tools', 'vision'] }),
      limits({ context_tokens: 131_072, capabilities: ['tools'] }),
    ]);
    expect(usual).toEqual(limits({ context_tokens: 131_072, capabilities: ['tools'] }));
  });

  it('is unknown where nothing is known', () => {
    expect(usualLimits([limits({})])).toEqual(limits({}));
  });
});
