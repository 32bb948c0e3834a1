import { stickyUserAgents } from '../identity/sticky-user-agents.js';
import { isSecureOrigin, withUserAgent } from '../identity/with-user-agent.js';
import { header } from '../pipeline/headers.js';
import type { Stage } from '../pipeline/stage.js';

/**
 * Gives the request a browser's user agent and the client hints that go with it, the same ones for as long as a
 * credential of an endpoint is used, or a session lasts. The caller's own headers win.
 */
export function identityStage(): Stage {
  const userAgentOf = stickyUserAgents();

  return async function identity(exchange, next) {
    const { attempt, endpoint, policy, request } = exchange;
    const given = header(request.headers, 'user-agent');
    if (given !== undefined || policy.userAgent === 'off') {
      attempt.userAgent = given;
      return next(exchange);
    }
    const { userAgent: wanted } = policy;
    const credential = [endpoint.name, ...attempt.taken.map(({ id }) => id)].join('\n');
    const userAgent =
      wanted === 'auto'
        ? (exchange.identity?.userAgent ?? (await userAgentOf(credential)))
        : 'value' in wanted
          ? wanted.value
          : (exchange.identity?.userAgent ?? (await userAgentOf(credential, wanted)));
    attempt.userAgent = userAgent;
    const headers = withUserAgent(request.headers, userAgent, { hints: isSecureOrigin(request.url) });
    return next({ ...exchange, request: { ...request, headers } });
  };
}
