/** Says on stderr what takes long, and for how many seconds it has taken. */
export interface Progress {
  say(text: string): void;
  /** Runs `work`; says so when it begins, every five seconds, and with its seconds at its end. */
  step<T>(label: string, work: () => Promise<T>): Promise<T>;
}

export const silent: Progress = { say: () => {}, step: (_label, work) => work() };

export function createProgress(write: (line: string) => void): Progress {
  return {
    say: (text) => write(`${text}\n`),
    step: async (label, work) => {
      const begunMs = performance.now();
      const seconds = () => ((performance.now() - begunMs) / 1000).toFixed(1);
      write(`${label} …\n`);
      const ticker = setInterval(() => write(`${label} … ${seconds()} s\n`), 5000);
      ticker.unref();
      try {
        const result = await work();
        write(`${label}: done in ${seconds()} s\n`);
        return result;
      } finally {
        clearInterval(ticker);
      }
    },
  };
}
