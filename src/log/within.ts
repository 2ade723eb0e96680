/**
 * The outcome of `work`, or a rejection after `limitMs`. The work is not ended: the caller ends
 * what it runs on. What it comes to later is nobody's.
 */
export async function within<T>(work: Promise<T>, limitMs: number, message: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(message)), limitMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
