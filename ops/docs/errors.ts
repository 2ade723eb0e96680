import { ERRORS } from '../../src/errors.js';
import { markdownTable } from './markdown.js';

/** docs/errors.md, from the code table. */
export function renderErrors(): string {
  const rows = Object.entries(ERRORS).map(([code, { meaning, action, exit, http }]) => [
    `\`${code}\``,
    meaning,
    action,
    String(exit),
    http === 0 ? '–' : String(http),
  ]);
  return `# Error codes

Every error that a user, a caller or an operator meets has one of these codes. Codes are stable: a
retired one is never used again.

- **Action**, what the pipeline does with it: \`retry\`: it pauses and tries again, nothing is lost;
  \`park\`: the record goes to the dead-letter topic with its place and the code, and reading goes on;
  \`stop\`: a person must act.
- **Exit**, the exit code of a command that ends by it: 1 a check failed, 2 wrong use, 3 a service
  could not be reached.
- **HTTP**, the status of the problem answer (RFC 9457, \`application/problem+json\`), where an HTTP
  caller can meet it.

${markdownTable(['Code', 'Meaning', 'Action', 'Exit', 'HTTP'], rows)}
`;
}
