import { stickyUserAgents } from '../identity/sticky-user-agents.js';
import { isSecureOrigin, withUserAgent } from '../identity/with-user-agent.js';
import { header } from '../pipeline/headers.js';
import type { Exchange, Reply } from '../pipeline/exchange.js';
import type { Stage } from '../pipeline/stage.js';

/**
 * Gives the request a browser's user agent and the client hints that go with it, the same ones for as long as a
 * credential of an endpoint is used, or a session lasts. The caller's own headers win.
 */
export function identityStage(): Stage {
  const userAgentOf = stickyUserAgents();

  function chosenFor({ attempt, endpoint, identity, policy: { userAgent } }: Exchange): Promise<string> | string {
    if (typeof userAgent === 'object' && 'value' in userAgent) return userAgent.value;
    if (identity !== undefined) return identity.userAgent;
    let credential = endpoint.name;
    for (const { id } of attempt.taken) credential += `\n${id}`;
    return userAgentOf(credential, typeof userAgent === 'object' ? userAgent : undefined);
  }

  return function identity(exchange, next) {
    const { attempt, policy, request } = exchange;
    const given = header(request.headers, 'user-agent');
    if (given !== undefined || policy.userAgent === 'off') {
      attempt.userAgent = given;
      return next(exchange);
    }
    const goOn = (userAgent: string): Promise<Reply> => {
      attempt.userAgent = userAgent;
      const headers = withUserAgent(request.headers, userAgent, { hints: isSecureOrigin(request.url) });
      return next({ ...exchange, request: { ...request, headers } });
    };
    const chosen = chosenFor(exchange);
    return typeof chosen === 'string' ? goOn(chosen) : chosen.then(goOn);
  };
}
