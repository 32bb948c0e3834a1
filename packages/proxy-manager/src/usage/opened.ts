import { ProxyManagerError, StoreError } from '../errors.js';

/** Does `work` on what a store stands on, and tells of a failure as `name: could not DOING`. */
export type Using<O> = <T>(doing: string, work: (opened: O) => T | Promise<T>) => Promise<T>;

/** Opens on the first use, and again on the next one where that failed. */
export function opened<O>(name: string, open: () => Promise<O>): Using<O> {
  let opening: Promise<O> | undefined;

  return async function using(doing, work) {
    try {
      opening ??= open().catch((error: unknown) => {
        opening = undefined;
        throw error;
      });
      return await work(await opening);
    } catch (error) {
      throw error instanceof ProxyManagerError ? error : new StoreError(name, doing, error);
    }
  };
}
