import { createMemoryHotKeys } from '../../src/hotkeys/memory-hot-keys.js';
import { hotKeysContract } from './contract.js';

hotKeysContract('in the process', async () => {
  let nowMs = 0;
  const hotKeys = createMemoryHotKeys({ nowMs: () => nowMs });
  return {
    hotKeys,
    another: () => hotKeys,
    age: async (ms) => {
      nowMs += ms;
    },
    close: () => hotKeys.close(),
  };
});
