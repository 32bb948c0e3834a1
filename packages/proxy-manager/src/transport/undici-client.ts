import { createRequire } from 'node:module';
import { setFlagsFromString } from 'node:v8';
import type { Client } from 'undici';

const require = createRequire(import.meta.url);

/** After how much work V8 optimises a WebAssembly function: as Node 22 and later have it, and as Node 20 has it. */
const LATER = '--wasm-tiering-budget=13000000';
const NODE_20 = '--wasm-tiering-budget=1800000';

/** Not among the types without a browser's. */
declare const WebAssembly: { readonly Module: new (bytes: Uint8Array) => object };

let parser: object | undefined;

/**
 * The one class of undici that is used: all of it takes three times as long to load. Required, since what is CommonJS and
 * imported is read for its exports first, which costs more than to load it.
 */
export async function loadClient(): Promise<typeof Client> {
  try {
    parser ??= compiledParser();
    return require('undici/lib/dispatcher/client.js') as typeof Client;
  } catch {
    // Another release may keep it elsewhere.
    return (await import('undici')).Client;
  }
}

/**
 * undici's parser, which V8 in Node 20 optimises within the first reply: 56 ms of CPU, and 29 MB meanwhile. With Node 22's
 * patience it does so some replies later. V8 knows a module by its bytes, so undici will get this one.
 */
function compiledParser(): object | undefined {
  if (!process.version.startsWith('v20.')) return undefined;
  const bytes = require('undici/lib/llhttp/llhttp_simd-wasm.js') as Uint8Array;
  setFlagsFromString(LATER);
  try {
    return new WebAssembly.Module(bytes);
  } finally {
    setFlagsFromString(NODE_20);
  }
}
