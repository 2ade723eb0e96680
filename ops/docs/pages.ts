import { renderErrors } from './errors.js';
import { renderEvents } from './events.js';
import { renderFaults } from './faults.js';
import { renderLimits } from './limits.js';
import { renderMetrics } from './metrics.js';
import { renderReasons } from './reasons.js';
import { renderSettings } from './settings.js';
import { renderStrategies } from './strategies.js';

/** The generated pages, by path from the package's folder. */
export const PAGES: Readonly<Record<string, () => string>> = {
  'docs/errors.md': renderErrors,
  'docs/events.md': renderEvents,
  'docs/faults.md': renderFaults,
  'docs/limits.md': renderLimits,
  'docs/metrics.md': renderMetrics,
  'docs/reasons.md': renderReasons,
  'docs/settings.md': renderSettings,
  'docs/strategies.md': renderStrategies,
};
