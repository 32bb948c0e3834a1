import type { Attempt } from '../pipeline/exchange.js';

/** ECS `error.*`. */
export interface ErrorFields {
  readonly type: string;
  readonly code?: string;
  readonly message: string;
  readonly stack_trace?: string;
}

const MAX_STACK = 8192;

/** `hide` writes a placeholder over the secrets of the attempt. */
export function errorFields(error: unknown, hide: Attempt['hide']): ErrorFields {
  if (!(error instanceof Error)) return { type: typeof error, message: String(error) };
  const { name: type, message } = error;
  const code = 'code' in error && typeof error.code === 'string' ? { code: error.code } : undefined;
  return { type, ...code, message, ...stackOf(error, hide) };
}

/** None where the error was made with another message: that one has been masked since, and stands in the stack as it was. */
function stackOf({ stack, name, message }: Error, hide: Attempt['hide']): { readonly stack_trace: string } | undefined {
  // Whoever replaces `Error.prepareStackTrace` may give anything.
  const start = typeof stack === 'string' && message !== '' ? stack.indexOf(message) : -1;
  if (stack === undefined || start === -1) return undefined;
  const frames = stack.slice(start + message.length, start + message.length + MAX_STACK);
  return { stack_trace: `${name}: ${message}${hide === undefined ? frames : hide(frames)}` };
}
