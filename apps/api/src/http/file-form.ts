type Property = Readonly<{ type: 'string' | 'boolean'; description: string }>;

/** Describes a multipart body with a file and further fields. */
export function fileForm(fields: Readonly<Record<string, Property>>): {
  schema: {
    type: 'object';
    properties: Record<string, { type: string; description?: string; format?: string }>;
    required: string[];
  };
} {
  return {
    schema: {
      type: 'object',
      properties: { file: { type: 'string', format: 'binary' }, ...fields },
      required: ['file'],
    },
  };
}
