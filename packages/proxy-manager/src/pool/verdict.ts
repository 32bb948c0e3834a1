/**
 * What one attempt says about whom, decided once, in the credential stage:
 * - `good`: the use counts, nothing rests;
 * - `throttled`: this credential rests until `untilMs` (epoch), another one may go on;
 * - `proxy-dead`: the proxy itself failed and rests until `untilMs`, another one may go on;
 * - `down`: the origin or the way to it failed, no credential is blamed.
 */
export type Verdict =
  | { readonly kind: 'good' }
  | { readonly kind: 'throttled'; readonly untilMs: number }
  | { readonly kind: 'proxy-dead'; readonly untilMs: number }
  | { readonly kind: 'down' };
