import { code } from './documented.js';

/** JSON Schema, as far as zod writes it. */
interface JsonSchema {
  type?: string | string[];
  properties?: Record<string, JsonSchema>;
  required?: string[];
  items?: JsonSchema;
  anyOf?: JsonSchema[];
  enum?: unknown[];
  const?: unknown;
  default?: unknown;
  minimum?: number;
  exclusiveMinimum?: number;
  maximum?: number;
}

/** What can be asked for its JSON Schema: a zod schema, of whichever package. */
export interface Describable {
  toJSONSchema(options: { io: 'input'; unrepresentable: 'any' }): unknown;
}

/** Every key that may be written: its path, what may stand there, and its default. */
export function settingRows(schema: Describable): string[][] {
  const described: unknown = schema.toJSONSchema({ io: 'input', unrepresentable: 'any' });
  return rowsOf('', described as JsonSchema);
}

function rowsOf(path: string, { properties = {}, required = [] }: JsonSchema): string[][] {
  return Object.entries(properties).flatMap(([key, value]) => {
    const here = path === '' ? key : `${path}.${key}`;
    if (value.properties) return rowsOf(here, value);
    const row = [code(here), valuesOf(value), defaultOf(value, required.includes(key))];
    return value.items?.properties ? [row, ...rowsOf(`${here}[]`, value.items)] : [row];
  });
}

function defaultOf(schema: JsonSchema, required: boolean): string {
  if (required) return '(required)';
  return schema.default === undefined ? '' : code(JSON.stringify(schema.default));
}

function valuesOf(schema: JsonSchema): string {
  if (schema.const !== undefined) return code(JSON.stringify(schema.const));
  if (schema.enum) return schema.enum.map((value) => code(JSON.stringify(value))).join(', ');
  if (schema.anyOf) return [...new Set(schema.anyOf.map(valuesOf))].join(', ');
  if (schema.properties) return `{ ${Object.keys(schema.properties).map(code).join(', ')} }`;
  return [schema.type ?? 'any']
    .flat()
    .map((type) => valuesOfType(type, schema))
    .join(', ');
}

function valuesOfType(type: string, schema: JsonSchema): string {
  switch (type) {
    case 'string':
      return 'text';
    case 'null':
      return code('null');
    case 'boolean':
      return '`true`, `false`';
    case 'array':
      return `list of ${schema.items?.properties ? 'the following' : valuesOf(schema.items ?? {})}`;
    case 'integer':
    case 'number':
      return `${type === 'integer' ? 'whole number' : 'number'}${boundsOf(schema)}`;
    default:
      return type;
  }
}

function boundsOf({ minimum, exclusiveMinimum, maximum }: JsonSchema): string {
  const least =
    minimum !== undefined ? `from ${minimum}` : exclusiveMinimum !== undefined ? `above ${exclusiveMinimum}` : '';
  const most = maximum === undefined || maximum === Number.MAX_SAFE_INTEGER ? '' : `to ${maximum}`;
  return [least, most].map((bound) => (bound === '' ? '' : ` ${bound}`)).join('');
}
