import type { Logger } from '../../src/hotkeys/state-log.js';

/** Messages in order, each after its level. */
export class RecordingLogger implements Logger {
  readonly lines: string[] = [];

  info(fields: object, message: string): void {
    this.lines.push(`info ${message} ${JSON.stringify(fields)}`);
  }

  warn(fields: object, message: string): void {
    this.lines.push(`warn ${message} ${JSON.stringify(fields)}`);
  }
}
