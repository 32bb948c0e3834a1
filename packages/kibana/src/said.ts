import type { Answer } from './http.js';

/** What an error answer of Kibana or Elasticsearch says in words; of anything else its first line. */
export function said({ json, text }: Answer): string {
  if (typeof json === 'object' && json !== null) {
    if ('message' in json && typeof json.message === 'string') return json.message;
    if ('error' in json) {
      const { error } = json;
      if (typeof error === 'object' && error !== null && 'reason' in error) return String(error.reason);
      if (typeof error === 'string') return error;
    }
  }
  return text.split('\n', 1)[0]?.slice(0, 200) || 'nothing';
}
