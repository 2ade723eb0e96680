import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Test seeds come from a hash of the compiled code that decides and of the bench: whoever changes
 * a constant is judged on worlds that he has not seen.
 */
export function testSeeds(count: number): number[] {
  const code = codeHash();
  return Array.from({ length: count }, (_, index) => {
    const digest = createHash('sha256').update(`${code}|${index}`).digest();
    // Training seeds are small.
    return 1_000 + (digest.readUInt32BE(0) % 2_000_000_000);
  });
}

export function codeHash(): string {
  const here = dirname(fileURLToPath(import.meta.url));
  const hash = createHash('sha256');
  for (const folder of [here, join(here, '..', '..', 'src', 'route')]) {
    const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
    for (const name of names.filter((it) => it.endsWith('.js')).sort()) {
      hash.update(name).update(readFileSync(join(folder, name)));
    }
  }
  return hash.digest('hex');
}
