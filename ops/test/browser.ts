import { installPackages } from '../stack/install.js';
import { type Environment, findProgram, inspectMachine } from '../stack/machine.js';
import type { Progress } from '../stack/progress.js';

/** Any Chromium will do: the page uses nothing that is of one version. */
const PROGRAMS = ['chromium', 'chromium-browser', 'google-chrome'];

/**
 * Path of a browser for the tests of the dashboard, installed where it is missing and can be.
 * Rejects with a sentence that says what to install.
 */
export async function provideBrowser(
  environment: Environment,
  progress: Progress,
): Promise<string> {
  const found = findBrowser(environment);
  if (found !== null) return found;
  const machine = inspectMachine(environment);
  if (machine.isRoot && machine.aptGet !== null) {
    await installPackages(['chromium'], machine, environment, progress);
  }
  const installed = findBrowser(environment);
  if (installed !== null) return installed;
  throw new Error('the dashboard needs a browser: install it (apt-get install -y chromium).');
}

function findBrowser(environment: Environment): string | null {
  for (const program of PROGRAMS) {
    const path = findProgram(program, environment);
    if (path !== null) return path;
  }
  return null;
}
