import type { Column, Columns, Format } from './column.js';
import { RECORDS, kql } from './column.js';

/** What a formula computes over the documents. */
interface Aggregation {
  readonly operation: 'count' | 'last_value' | 'sum' | 'unique_count';
  readonly field: string;
  readonly where: string;
}

interface Arithmetic {
  readonly name: 'add' | 'divide';
  readonly left: Expression;
  readonly right: Expression;
}

export type Expression = Aggregation | Arithmetic;

const SIGNS = { add: '+', divide: '/' } as const;

export function countOf(where: string): Expression {
  return { operation: 'count', field: RECORDS, where };
}

export function sumOf(field: string, where: string): Expression {
  return { operation: 'sum', field, where };
}

/** The number of different values: of requests by their id, however many documents each has. */
export function uniqueOf(field: string, where: string): Expression {
  return { operation: 'unique_count', field, where };
}

/** The value of the newest document that has one. */
export function lastOf(field: string): Expression {
  return { operation: 'last_value', field, where: `"${field}": *` };
}

export function plus(left: Expression, right: Expression): Expression {
  return { name: 'add', left, right };
}

export function over(left: Expression, right: Expression): Expression {
  return { name: 'divide', left, right };
}

/**
 * The columns of a Lens formula: Kibana below 9.2 computes from the helper columns `<id>X0`, `<id>X1` … that the editor
 * would make, later ones from the text.
 */
export function formula(id: string, label: string, expression: Expression, format: Format): Columns {
  const text = write(expression);
  const helpers: Record<string, Column> = {};
  const parts: string[] = [];
  const ast = toAst(expression, (aggregation) => {
    const name = `${id}X${parts.length}`;
    helpers[name] = helper(label, aggregation);
    parts.push(name);
    return name;
  });
  const math = `${id}X${parts.length}`;
  const column = { customLabel: true, dataType: 'number', isBucketed: false, scale: 'ratio' } as const;
  return {
    [id]: {
      ...column,
      label,
      operationType: 'formula',
      params: { formula: text, isFormulaBroken: false, format },
      references: [math],
    },
    ...helpers,
    [math]: {
      ...column,
      label: `Part of ${label}`,
      operationType: 'math',
      params: { tinymathAst: typeof ast === 'string' ? ast : { ...ast, location: { min: 0, max: text.length }, text } },
      references: parts,
    },
  };
}

interface Ast {
  readonly type: 'function';
  readonly name: Arithmetic['name'];
  readonly args: readonly (Ast | string)[];
  readonly location: { readonly min: number; readonly max: number };
  readonly text: string;
}

function toAst(expression: Expression, helperOf: (aggregation: Aggregation) => string): Ast | string {
  if ('operation' in expression) return helperOf(expression);
  const args = [toAst(expression.left, helperOf), toAst(expression.right, helperOf)];
  const text = write(expression);
  return { type: 'function', name: expression.name, args, location: { min: 0, max: text.length }, text };
}

function helper(label: string, { operation, field, where }: Aggregation): Column {
  return {
    label: `Part of ${label}`,
    customLabel: true,
    dataType: 'number',
    operationType: operation,
    isBucketed: false,
    scale: 'ratio',
    sourceField: field,
    ...(where !== '' && { filter: kql(where) }),
    params: operation === 'last_value' ? { sortField: '@timestamp', showArrayValues: false } : { emptyAsNull: false },
  };
}

function write(expression: Expression): string {
  if ('operation' in expression) {
    const { operation, field, where } = expression;
    const args = [...(operation === 'count' ? [] : [field]), ...(where === '' ? [] : [`kql='${where}'`])];
    return `${operation}(${args.join(', ')})`;
  }
  const side = (part: Expression): string => ('operation' in part ? write(part) : `(${write(part)})`);
  return `${side(expression.left)} ${SIGNS[expression.name]} ${side(expression.right)}`;
}
