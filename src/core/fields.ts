import { z } from 'zod';

/**
 * How files that are attached to a message become the value of a field: joined into one text of several YAML documents, or
 * each a key of its own, by its name.
 */
export const Attached = z.enum(['documents', 'by-name']);
export type Attached = z.output<typeof Attached>;

/** A value that may also be nothing is written as a word: `off` is one for it. */
const Type = z.union([z.string(), z.array(z.string()).transform((): string => 'string')]);

const Properties = z.object({
  properties: z
    .record(
      z.string(),
      z.looseObject({
        type: Type.optional(),
        anyOf: z.array(z.looseObject({ type: Type.optional() })).optional(),
        description: z.string().optional(),
        enum: z.array(z.string()).optional(),
        /** Told by the schema’s own extension, since OpenAPI takes no others. */
        'x-multiline': z.boolean().optional(),
        'x-attached': Attached.optional(),
      }),
    )
    .default({}),
  required: z.array(z.string()).default([]),
});

/** A field of an operation's input, as surfaces need to know it. `type` is JSON Schema's. */
export type Field = {
  type: string;
  required: boolean;
  description?: string;
  choices?: readonly string[];
  /** A text of many lines. */
  multiline?: boolean;
  /** It takes the files that are attached to a message; undefined where it takes none. */
  attached?: Attached;
};

const typeOf = (choices: readonly { type?: string }[]): string =>
  choices.some(({ type }) => type === 'object') ? 'object' : 'string';

/** The fields of an input schema, in their order. */
export function fieldsOf(input: z.ZodObject): ReadonlyMap<string, Field> {
  const { properties, required } = Properties.parse(z.toJSONSchema(input, { io: 'input' }));
  return new Map(
    Object.entries(properties).map(
      ([
        name,
        {
          anyOf = [],
          type = typeOf(anyOf),
          description,
          enum: choices,
          'x-multiline': multiline,
          'x-attached': attached,
        },
      ]) => [
        name,
        {
          type,
          required: required.includes(name),
          description,
          choices,
          ...(multiline && { multiline }),
          ...(attached && { attached }),
        },
      ],
    ),
  );
}
