/** The books in which standings are kept, and the names in them. */

/** The proxies that rest everywhere. */
export const PROXIES = 'proxies';

/** Who of an endpoint rests, and which of its keys were refused. */
export const bookOf = (endpoint: string): string => `endpoint ${endpoint}`;

/** The proxies that rest for one host. */
export const hostBookOf = (host: string): string => `host ${host}`;

export const resting = (id: string): string => `rest ${id}`;
export const refused = (id: string): string => `refused ${id}`;
