/** Waits for the promise, but no longer than the signal lets it; what it was to bring is then nobody's business any more. */
export async function abortable<Result>(promise: Promise<Result>, signal: AbortSignal): Promise<Result> {
  promise.catch(() => {});
  const gone = Promise.withResolvers<never>();
  const stop = () => gone.reject(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  return await Promise.race([promise, gone.promise]).finally(() => signal.removeEventListener('abort', stop));
}
