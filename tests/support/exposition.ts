/** What an app exposes: for each metric its labels, with the values that were seen. */
export type Exposed = Map<string, Map<string, Set<string>>>;

/** Reads the Prometheus text format; only series that are there count, not announcements without one. */
export function readExposition(text: string, into: Exposed = new Map()): Exposed {
  for (const line of text.split('\n')) {
    const [, name, inner = ''] = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? \S+$/.exec(line) ?? [];
    if (name === undefined) continue;
    const labels = into.get(name) ?? new Map<string, Set<string>>();
    into.set(name, labels);
    for (const [, label = '', value = ''] of inner.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g))
      labels.set(label, (labels.get(label) ?? new Set()).add(value));
  }
  return into;
}

/** Labels that the scraper adds. */
const TARGET = ['job', 'instance'];

/** What a query, with its legend, names and nobody exposes. Enough of PromQL for queries that people write by hand. */
export function unknownNames(query: string, exposed: Exposed, legend = ''): string[] {
  const unknown: string[] = [];
  const used: string[] = [...legend.matchAll(/\{\{\s*(\w+)\s*\}\}/g)].map(([, label = '']) => label);
  const bare = query
    .replace(/\[[^\]]*\]|\boffset\s+\w+/g, '')
    .replace(/\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)/g, (_, list: string) => {
      used.push(...list.split(',').map((label) => label.trim()));
      return ' ';
    });
  const metrics: string[] = [];
  for (const [, name = '', inner = ''] of bare.matchAll(/([a-zA-Z_:][\w:]*)(?![\w:]*\s*\()\s*(?:\{([^}]*)\})?/g)) {
    if (['and', 'or', 'unless', 'bool'].includes(name)) continue;
    metrics.push(name);
    for (const [, label = '', operator = '', value = ''] of inner.matchAll(/(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"/g)) {
      const values = exposed.get(name)?.get(label);
      if (TARGET.includes(label)) continue;
      if (!values) unknown.push(`${name}{${label}}`);
      for (const one of operator.endsWith('~') ? value.split('|') : [value])
        if (values && !values.has(one)) unknown.push(`${name}{${label}="${one}"}`);
    }
  }
  if (metrics.length === 0) unknown.push(`no metric in ${query}`);
  for (const metric of metrics) {
    const labels = exposed.get(metric);
    if (!labels) unknown.push(metric);
    else unknown.push(...used.filter((l) => !TARGET.includes(l) && !labels.has(l)).map((l) => `${metric}{${l}}`));
  }
  return unknown;
}
