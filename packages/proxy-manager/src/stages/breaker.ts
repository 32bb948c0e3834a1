import type { Clock } from '../clock.js';
import type { Stage } from '../pipeline/stage.js';
import { HostBreaker } from '../pool/host-breaker.js';
import { TransportFault } from '../transport/fault.js';

/**
 * Refuses at once what goes to a host that has been found down ten times in a row: from 1 s to 30 s, then one attempt finds
 * out. What a proxy may be the reason of does not count.
 */
export function breakerStage({ clock }: { clock: Clock }): Stage {
  const breaker = new HostBreaker(clock);

  return async function breakers(exchange, next) {
    const { attempt, request } = exchange;
    const { host } = request.url;
    const refusal = breaker.refusal(host);
    if (refusal !== undefined) {
      const until = new Date(refusal.untilMs).toISOString();
      const message = `${request.method} ${request.url.origin} is not tried before ${until}: the host failed ten times in a row (${refusal.why})`;
      attempt.verdict = { kind: 'down', why: refusal.why };
      throw new TransportFault('ERR_HOST_DOWN', message, { phase: 'connect', sent: false });
    }
    try {
      return await next(exchange);
    } finally {
      const { verdict } = attempt;
      if (verdict?.kind === 'down') breaker.down(host, verdict.why ?? 'down');
      else if (verdict !== undefined && verdict.kind !== 'proxy-dead') breaker.up(host);
    }
  };
}
