import { isIP } from 'node:net';
import { andText, flat, quoted } from './json-text.js';

/** What the log tells of an origin, which is the same for all of its urls. */
export interface Address {
  readonly origin: string;
  readonly domain: string;
  readonly isIp: boolean;
  /** Members of ECS `url.*`. */
  readonly place: string;
  /** Members of ECS `server.*` and `destination.*`. */
  readonly callee: string;
  /** Those two and `related.*`, for an exchange of which nothing more is known. */
  readonly alone: string;
}

const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 };

/** So many origins are remembered. */
const KEPT = 1000;

const known = new Map<string, Address>();
let newest: { readonly start: string; readonly address: Address } | undefined;

/** The origin of `url`, also when a proxy stands between. */
export function addressOf(url: URL): Address {
  // Most urls are of the origin of the one before, and to compare is cheaper than to cut the origin out.
  if (newest !== undefined && url.href.startsWith(newest.start)) return newest.address;
  const { origin } = url;
  let address = known.get(origin);
  if (address === undefined) {
    if (known.size >= KEPT) known.clear();
    address = readAddress(url);
    known.set(origin, address);
  }
  newest = { start: `${origin}/`, address };
  return address;
}

function readAddress({ origin, hostname, port, protocol }: URL): Address {
  const domain = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
  const isIp = isIP(domain) !== 0;
  const knownPort = port === '' ? DEFAULT_PORTS[protocol] : Number(port);
  const andPort = knownPort === undefined ? '' : `,"port":${knownPort}`;
  const place = `"scheme":"${protocol.slice(0, -1)}","domain":${quoted(domain)}${andPort}`;
  const callee = `"address":${quoted(domain)}${andText(isIp ? 'ip' : 'domain', domain)}${andPort}`;
  const alone = `,"server":{${callee}},"destination":{${callee}},"related":{"${isIp ? 'ip' : 'hosts'}":[${quoted(domain)}]}`;
  return { origin, domain, isIp, place, callee, alone: flat(alone) };
}

/** ECS `server.*`, `destination.*` and `related.*`: every host that the exchange was with, the one that a redirect led to included. */
export function andAddresses(asked: Address, answered: Address, bytesReceived: number): string {
  if (bytesReceived === 0 && answered.domain === asked.domain) return asked.alone;
  const callee = bytesReceived === 0 ? asked.callee : `${asked.callee},"bytes":${bytesReceived}`;
  return `,"server":{${callee}},"destination":{${callee}},"related":{${relatedMembers(asked, answered)}}`;
}

function relatedMembers(asked: Address, answered: Address): string {
  const nameOf = ({ isIp }: Address): string => (isIp ? 'ip' : 'hosts');
  const first = `"${nameOf(asked)}":[${quoted(asked.domain)}`;
  if (answered.domain === asked.domain) return `${first}]`;
  const second = quoted(answered.domain);
  return asked.isIp === answered.isIp ? `${first},${second}]` : `${first}],"${nameOf(answered)}":[${second}]`;
}
