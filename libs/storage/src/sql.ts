/** A statement with its parameters, as `pg` takes it. */
export type SqlStatement = Readonly<{ text: string; values: unknown[] }>;

/** Marks a fragment made by {@link sql}, so that it is spliced in rather than sent as a parameter. */
class Fragment implements SqlStatement {
  constructor(
    readonly strings: readonly string[],
    readonly values: unknown[],
  ) {}

  get text(): string {
    return this.strings.reduce((text, part, i) => `${text}$${i}${part}`);
  }
}

/**
 * Builds a statement from a template: values become numbered parameters, nested `sql` fragments are spliced in.
 *
 * @example sql`SELECT id FROM track WHERE tenant_id = ${tenantId}`
 */
export function sql(parts: TemplateStringsArray, ...values: readonly unknown[]): SqlStatement {
  const strings: string[] = [parts[0] ?? ''];
  const flat: unknown[] = [];
  const append = (text: string): void => {
    strings[strings.length - 1] += text;
  };
  values.forEach((value, i) => {
    if (value instanceof Fragment) {
      append(value.strings[0] ?? '');
      value.values.forEach((inner, j) => {
        flat.push(inner);
        strings.push(value.strings[j + 1] ?? '');
      });
    } else {
      flat.push(value);
      strings.push('');
    }
    append(parts[i + 1] ?? '');
  });
  return new Fragment(strings, flat);
}

/**
 * Has the server plan a statement once a connection, for statements that are asked many times a second.
 *
 * @param name one for each text of a statement
 */
export function prepared(
  name: string,
  { text, values }: SqlStatement,
): SqlStatement & Readonly<{ name: string }> {
  return { name, text, values };
}

/** Joins conditions with AND; none gives TRUE. */
export function allOf(conditions: readonly SqlStatement[]): SqlStatement {
  return conditions.reduce((left, right) => sql`${left} AND ${right}`, sql`TRUE`);
}
