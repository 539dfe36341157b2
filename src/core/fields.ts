import { z } from 'zod';

const Properties = z.object({
  properties: z
    .record(
      z.string(),
      z.looseObject({
        type: z.string().optional(),
        description: z.string().optional(),
        enum: z.array(z.string()).optional(),
        /** Told by the schema’s own extension, since OpenAPI takes no others. */
        'x-multiline': z.boolean().optional(),
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
};

/** The fields of an input schema, in their order. */
export function fieldsOf(input: z.ZodObject): ReadonlyMap<string, Field> {
  const { properties, required } = Properties.parse(z.toJSONSchema(input, { io: 'input' }));
  return new Map(
    Object.entries(properties).map(
      ([name, { type = 'string', description, enum: choices, 'x-multiline': multiline }]) => [
        name,
        { type, required: required.includes(name), description, choices, ...(multiline && { multiline }) },
      ],
    ),
  );
}
