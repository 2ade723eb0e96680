import { describe, expect, it } from 'vitest';
import { PROVIDER_ALIASES, providerName } from '../../src/event/provider.js';

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
  ])('calls %j %j', (given, name) => {
    expect(providerName(given)).toBe(name);
  });

  it('leaves every name alone that it has given', () => {
    for (const name of PROVIDER_ALIASES.values()) expect(providerName(name)).toBe(name);
  });
});
