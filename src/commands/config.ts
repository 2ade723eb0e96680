import { describeConfig } from '../config.js';
import type { CommandContext } from './context.js';

/** `airouter config`: the settings in force, secrets hidden. */
export async function run({ config, json, answer, print }: CommandContext): Promise<void> {
  const settings = describeConfig(config);
  if (json) answer(settings);
  else for (const [name, value] of Object.entries(settings)) print(`${name}=${value ?? ''}`);
}
