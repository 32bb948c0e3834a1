/** The part of Kibana's query language that the dashboards use, read into a tree. */
export type Query =
  | { readonly kind: 'all' }
  | { readonly kind: 'and'; readonly parts: readonly Query[] }
  | { readonly kind: 'or'; readonly parts: readonly Query[] }
  | { readonly kind: 'not'; readonly part: Query }
  | { readonly kind: 'exists'; readonly field: string }
  | { readonly kind: 'is'; readonly field: string; readonly value: string }
  | { readonly kind: 'range'; readonly field: string; readonly operator: Operator; readonly bound: number };

export type Operator = '<' | '<=' | '>' | '>=';

/** @throws {Error} what Kibana would not read either, or what the dashboards do not use. */
export function parseKql(text: string): Query {
  const tokens = text.match(/"[^"]*"|[()]|<=|>=|[<>:*]|[^\s()<>:"*]+/g) ?? [];
  let at = 0;
  const fail = (): never => {
    throw new Error(`KQL not understood at ${tokens.slice(at, at + 3).join(' ')}: ${text}`);
  };
  const take = (): string => tokens[at++] ?? fail();
  const takeIf = (token: string): boolean => tokens[at] === token && at++ >= 0;

  function either(): Query {
    const parts = [both()];
    while (takeIf('or')) parts.push(both());
    return parts.length === 1 ? (parts[0] ?? fail()) : { kind: 'or', parts };
  }
  function both(): Query {
    const parts = [one()];
    while (takeIf('and')) parts.push(one());
    return parts.length === 1 ? (parts[0] ?? fail()) : { kind: 'and', parts };
  }
  function one(): Query {
    if (takeIf('not')) return { kind: 'not', part: one() };
    if (takeIf('(')) {
      const inner = either();
      if (!takeIf(')')) fail();
      return inner;
    }
    return condition(unquoted(take()));
  }
  function condition(field: string): Query {
    const operator = take();
    if (operator === '<' || operator === '<=' || operator === '>' || operator === '>=') {
      const bound = Number(take());
      return Number.isNaN(bound) ? fail() : { kind: 'range', field, operator, bound };
    }
    if (operator !== ':') fail();
    if (takeIf('*')) return { kind: 'exists', field };
    if (!takeIf('(')) return { kind: 'is', field, value: unquoted(take()) };
    const parts: Query[] = [];
    do parts.push({ kind: 'is', field, value: unquoted(take()) });
    while (takeIf('or'));
    if (!takeIf(')')) fail();
    return { kind: 'or', parts };
  }

  if (tokens.length === 0) return { kind: 'all' };
  const query = either();
  if (at < tokens.length) fail();
  return query;
}

function unquoted(token: string): string {
  return token.startsWith('"') ? token.slice(1, -1) : token;
}

/** Every field that a query asks for. */
export function fieldsOf(query: Query): string[] {
  if ('parts' in query) return query.parts.flatMap(fieldsOf);
  if ('part' in query) return fieldsOf(query.part);
  return 'field' in query ? [query.field] : [];
}
