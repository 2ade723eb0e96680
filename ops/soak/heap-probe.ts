/**
 * Loaded before a role (`--import`): at each SIGUSR2 it adds a line to the file of
 * SOAK_MEMORY_FILE with what is live in the process. Its first line says that it listens.
 */
import { appendFileSync } from 'node:fs';
import { liveMemory } from '../live-heap.js';

const file = process.env['SOAK_MEMORY_FILE']!;
process.on('SIGUSR2', () => void liveMemory().then(append));
append({});

function append(line: object): void {
  const ageMs = Math.round(performance.now());
  appendFileSync(file, `${JSON.stringify({ pid: process.pid, ageMs, ...line })}\n`);
}
