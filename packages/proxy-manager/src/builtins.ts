// Taken so and not imported: an import reads all that a module exports, and loads what stands behind it: all of
// `dns.promises`, the root certificates as text.
export const dns: typeof import('node:dns') = process.getBuiltinModule('node:dns');
export const tls: typeof import('node:tls') = process.getBuiltinModule('node:tls');
