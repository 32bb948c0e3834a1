import * as http from 'node:http';
import * as https from 'node:https';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import * as builtins from '../builtins.js';
import type { WireObservation } from './transport.js';

/** What axios wants of its `transport` option. */
export interface NodeTransport {
  request(options: https.RequestOptions, onResponse: (response: http.IncomingMessage) => void): http.ClientRequest;
}

/** A request of axios's own adapter under observation; Node's http and https, or `inner`, make it. */
export class ObservedRequest {
  readonly transport: NodeTransport;
  /** True where https runs over a socket without TLS: axios's tunnel agent hands a proxy's refusal over like that. */
  tunnelRefused = false;
  /** `queued`: no socket of the agent is free yet; `connected`: the request goes out. */
  state: 'connected' | 'connecting' | 'queued' = 'connecting';
  readonly #observation: WireObservation;
  #socket: Socket | undefined;
  #mark = { sent: 0, received: 0 };
  #startedMs = 0;
  #headMs = 0;

  /** `onConnecting` is called when the request has left the queue of its agent, if it had to stand in it. */
  constructor(observation: WireObservation, inner: NodeTransport | undefined, onConnecting: () => void) {
    this.#observation = observation;
    this.transport = {
      request: (options, onResponse) => {
        const secure = options.protocol === 'https:';
        const made = (inner ?? (secure ? https : http)).request(options, onResponse);
        let askedMs = performance.now();
        if (isQueued(made, options.agent)) this.state = 'queued';
        made.once('socket', (socket: Socket) => {
          if (this.state === 'queued') {
            this.state = 'connecting';
            askedMs = performance.now();
            onConnecting();
          }
          this.#onSocket(socket, made, secure, askedMs);
        });
        made.once('response', () => this.#onHead());
        return made;
      },
    };
  }

  /** For a way that cannot be observed: a use that is counted for nothing is better than one that is not counted. */
  assumeSent(): void {
    this.#onSent();
  }

  /** Writes down what the finished, or failed, exchange moved. */
  end(): void {
    const { sent, received } = movedBy(this.#socket);
    this.#observation.bytesSent += sent - this.#mark.sent;
    this.#observation.bytesReceived += received - this.#mark.received;
    if (this.#headMs > 0) this.#observation.downloadMs = performance.now() - this.#headMs;
  }

  #onSocket(socket: Socket, request: http.ClientRequest, secure: boolean, askedMs: number): void {
    this.#socket = socket;
    const tls = socket instanceof builtins.tls.TLSSocket;
    if (secure && !tls) this.tunnelRefused = true;
    else if (request.reusedSocket || !(socket.connecting || (tls && handshaking(socket)))) {
      this.#mark = movedBy(socket);
      this.#onSent();
    } else {
      let connectedMs: number | undefined;
      socket.once('lookup', () => {
        this.#observation.dnsMs = (this.#observation.dnsMs ?? 0) + performance.now() - askedMs;
      });
      if (tls) socket.once('connect', () => (connectedMs = performance.now()));
      socket.once(tls ? 'secureConnect' : 'connect', () => {
        if (connectedMs !== undefined) {
          this.#observation.tlsMs = (this.#observation.tlsMs ?? 0) + performance.now() - connectedMs;
        }
        this.#observation.connectMs = (this.#observation.connectMs ?? 0) + performance.now() - askedMs;
        this.#onSent();
      });
    }
  }

  #onSent(): void {
    this.#startedMs = performance.now();
    this.state = 'connected';
    this.#observation.sent = true;
  }

  #onHead(): void {
    if (this.tunnelRefused) return;
    this.#observation.sent = true;
    this.#headMs = performance.now();
    if (this.#startedMs > 0) this.#observation.ttfbMs = this.#headMs - this.#startedMs;
  }
}

/** That of a transport of the caller's may be no socket, and count nothing. */
function movedBy(socket: Partial<Pick<Socket, 'bytesRead' | 'bytesWritten'>> = {}): { sent: number; received: number } {
  return { sent: socket.bytesWritten ?? 0, received: socket.bytesRead ?? 0 };
}

/** Node decides it while the request is made. */
function isQueued(request: http.ClientRequest, agent: https.RequestOptions['agent']): boolean {
  const lines = typeof agent === 'object' ? Object.values(agent.requests) : [];
  return lines.some((line) => line?.some((waiting) => Object.is(waiting, request)));
}

/** Node tells it by a property that its types leave out. */
function handshaking(socket: TLSSocket): boolean {
  return 'secureConnecting' in socket && socket.secureConnecting === true;
}
