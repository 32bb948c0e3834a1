/** The error with a cause, as the constructor of an Error sets one; those of axios's classes take none. */
export function withCause<E extends Error>(error: E, cause: unknown): E {
  if (cause === undefined) return error;
  return Object.defineProperty(error, 'cause', { value: cause, writable: true, configurable: true });
}
