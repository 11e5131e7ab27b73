export async function attempt<T>(action: () => Promise<T>, times: number): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (times <= 1) throw error;
    await pause(100);
    return attempt(action, times - 1);
  }
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
