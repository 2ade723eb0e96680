import { METRICS } from '../../src/observe/metrics.js';
import { markdownTable } from './markdown.js';

/** docs/metrics.md, from the table that the metrics are made from. */
export function renderMetrics(): string {
  const rows = Object.values(METRICS).map(({ name, type, help, labels }) => [
    `\`${name}\``,
    type,
    labels.length === 0 ? '–' : labels.map((label) => `\`${label}\``).join(', '),
    help,
  ]);
  return `# Metrics

\`GET /metrics\` answers in Prometheus's text format. Labels come from bounded sets: no tenant, no
request and no offering is a label. Beside these there are the process metrics of prom-client
(\`airouter_process_…\`, \`airouter_nodejs_…\`).

${markdownTable(['Name', 'Type', 'Labels', 'Meaning'], rows)}
`;
}
