import type { Socket } from 'node:net';

/** One step of connecting took longer than it may. */
class StepTimeout extends Error {
  readonly code = 'ETIMEDOUT';
}

/** The other side closed the connection where an answer was due. */
export class ClosedEarly extends Error {
  readonly code = 'ECONNRESET';
}

/** Awaits one step of connecting; a socket whose step fails, takes over `limitMs`, or is aborted is destroyed. */
export async function step<T>(
  socket: Socket,
  limitMs: number,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  // Destroying makes the socket emit the error that `work` is listening for, whatever it is waiting for.
  const stop = (): void => void socket.destroy(new Error('aborted', { cause: signal.reason }));
  const timer = setTimeout(() => socket.destroy(new StepTimeout(`no answer within ${limitMs} ms`)), limitMs);
  signal.addEventListener('abort', stop, { once: true });
  try {
    if (signal.aborted) stop();
    return await work();
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  }
}

/** Resolves with what `take` makes of the socket when it emits `event`, `undefined` meaning: wait on. */
export function answered<T>(socket: Socket, event: string, take: () => T | undefined): Promise<T> {
  return new Promise((resolve, reject) => {
    const settle = (then: () => void): void => {
      socket.off(event, onEvent).off('error', onError).off('end', onEnd).off('close', onEnd);
      then();
    };
    const onEvent = (): void => {
      try {
        const taken = take();
        if (taken !== undefined) settle(() => resolve(taken));
      } catch (error) {
        settle(() => reject(error));
      }
    };
    const onError = (error: Error): void => settle(() => reject(error));
    const onEnd = (): void => settle(() => reject(new ClosedEarly('the other side closed the connection')));
    // It may have closed between two steps, and then no event tells.
    if (socket.destroyed) return onEnd();
    socket.on(event, onEvent).on('error', onError).on('end', onEnd).on('close', onEnd);
  });
}
