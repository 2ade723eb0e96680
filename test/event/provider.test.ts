import { describe, expect, it } from 'vitest';
import { decode } from '../../src/event/decode.js';
import {
  assembleBatch,
  encodeOutcomeBody,
  encodeRecord,
  type Writable,
} from '../../src/event/encode.js';
import { PROVIDER_ALIASES, providerName } from '../../src/event/provider.js';
import { idOf, outcome } from '../fold/outcomes.js';

describe('providerName', () => {
  it.each([
    ['azure', 'azure.ai.openai'],
    ['azure_ai', 'azure.ai.inference'],
    ['bedrock', 'aws.bedrock'],
    ['vertex_ai', 'gcp.vertex_ai'],
    ['google', 'gcp.gemini'],
    ['gemini', 'gcp.gemini'],
    ['mistral', 'mistral_ai'],
    ['xai', 'x_ai'],
    ['OpenAI', 'openai'],
    [' Anthropic ', 'anthropic'],
    ['Azure', 'azure.ai.openai'],
    ['openai', 'openai'],
    ['MyGateway', 'mygateway'],
    ['__proto__', '__proto__'],
    ['constructor', 'constructor'],
    ['', ''],
    // Other letters stay: engines do not agree on all of them.
    ['ÄZURE', 'Äzure'],
  ])('calls %j %j', (given, name) => {
    expect(providerName(given)).toBe(name);
  });

  it('leaves every name alone that it has given', () => {
    for (const name of PROVIDER_ALIASES.values()) expect(providerName(name)).toBe(name);
  });
});

describe('decode', () => {
  const whole = <K extends keyof Writable>(name: K, value: Writable[K]) =>
    decode(encodeRecord(name, value), {});

  it('maps the provider of an outcome alone and in a batch', () => {
    const foreign = outcome({ provider: 'Azure' });
    const { value, headers } = assembleBatch(idOf(1), 1, [encodeOutcomeBody(foreign)]);
    expect(decode(value, headers)).toMatchObject({
      value: { outcomes: [{ provider: 'azure.ai.openai' }] },
    });
    expect(whole('RequestOutcome', foreign)).toMatchObject({
      value: { provider: 'azure.ai.openai' },
    });
  });

  it('maps it within the key of a gauge, and leaves a text that is no key to the rules', () => {
    const gauge = {
      emitter: Buffer.from(idOf(1)),
      tick: 1,
      started: 0,
      in_flight: 0,
      overdue: 0,
      oldest_ms: 0,
    };
    expect(whole('Inflight', { ...gauge, offering: 'm%7C1|bedrock|d|eu' })).toMatchObject({
      value: { offering: 'm%7C1|aws.bedrock|d|eu' },
    });
    expect(whole('Inflight', { ...gauge, offering: 'bedrock' })).toMatchObject({
      value: { offering: 'bedrock' },
    });
  });

  it('maps it in the catalogue, whose offerings would never meet their outcomes otherwise', () => {
    expect(
      whole('CatalogueProvider', { name: 'xai', display_name: 'xAI', enabled: true }),
    ).toMatchObject({ value: { name: 'x_ai' } });
    expect(
      whole('CataloguePrice', {
        model: 'm',
        provider: 'vertex',
        deployment: '',
        valid_from: 0,
        source: '',
        tiers: [],
      }),
    ).toMatchObject({ value: { provider: 'gcp.vertex_ai' } });
  });

  it('keeps its answers bounded: a million names are a million answers', () => {
    for (let n = 0; n < 3_000; n++) {
      const name = `Provider-${n}`;
      expect(whole('RequestOutcome', outcome({ provider: name }))).toMatchObject({
        value: { provider: name.toLowerCase() },
      });
    }
  });
});
