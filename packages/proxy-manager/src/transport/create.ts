import { axiosHttpTransport } from './axios-http.js';
import { probeProxy } from './probe.js';
import type { Transport } from './transport.js';
import { undiciTransport, type UndiciTransportOptions } from './undici.js';

/** The built-in transport: undici, and axios's own http adapter for an exchange with options that only that knows. */
export function createTransport(options: UndiciTransportOptions = {}): Transport {
  const fast = undiciTransport(options);
  const axios = axiosHttpTransport();
  return {
    send: (request, observation) => (request.options.axios ? axios : fast).send(request, observation),
    probe: probeProxy,
    async close() {
      await Promise.all([fast.close(), axios.close()]);
    },
  };
}
