import { Validator } from '@seriousme/openapi-schema-validator';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { openApi } from '../../../handlers/http/openapi.ts';
import { routesOf } from '../../../handlers/http/route-request.ts';
import { catalogue } from '../../../src/operations/catalogue.ts';

const Description = z.looseObject({
  paths: z.record(
    z.string(),
    z.record(
      z.string(),
      z.looseObject({
        operationId: z.string(),
        parameters: z.array(z.looseObject({ name: z.string(), in: z.string() })),
        requestBody: z.unknown().optional(),
        responses: z.record(z.string(), z.unknown()),
      }),
    ),
  ),
});
const description = openApi(catalogue);
const { paths } = Description.parse(description);
const routes = [...catalogue.values()].flatMap((operation) =>
  routesOf(operation).map((route) => ({ operation, route })),
);

test('it is valid OpenAPI 3.0', async () => {
  const { valid, errors } = await new Validator().validate(structuredClone(description));
  expect(errors).toBeUndefined();
  expect(valid).toBe(true);
});

test.each(routes)('$route.method $route.path is described', ({ route }) => {
  const path = `/api/v1/cloud-native${route.path.replace(/:(\w+)/g, '{$1}')}`;
  const entry = paths[path]?.[route.method.toLowerCase()];
  const inPath = [...route.path.matchAll(/:(\w+)/g)].map(([, name]) => name);
  expect(entry?.parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => name)).toEqual(inPath);
  const rest = Object.keys(route.request.shape).filter((name) => !inPath.includes(name));
  const body = JSON.stringify(entry?.requestBody ?? entry?.parameters);
  for (const name of rest) expect(body).toContain(`"${name}"`);
  expect(Object.keys(entry?.responses ?? {})).toEqual(
    expect.arrayContaining(['200', '202', '400', '401', '403', '422', '423', '429', '503']),
  );
});

const Parts = z.object({ components: z.object({ headers: z.record(z.string(), z.unknown()) }) });

test('waiting for a run is described wherever it can be waited for, and when to ask again', () => {
  const { headers } = Parts.parse(description).components;
  const withoutIt = ['/runs/{id}/events', '/runs/{id}/review', '/audit'].map((path) => `/api/v1/cloud-native${path}`);
  for (const [path, methods] of Object.entries(paths))
    for (const { parameters, responses } of Object.values(methods)) {
      expect(
        parameters.some(({ name }) => name === 'Prefer'),
        path,
      ).toBe(!withoutIt.includes(path));
      for (const [status, said] of withoutIt.includes(path) ? [] : Object.entries(responses)) {
        const named = [...JSON.stringify(said).matchAll(/#\/components\/headers\/(\w+)/g)].map(([, name = '']) => name);
        expect(named.includes('RetryAfter'), `${path} ${status}`).toBe(['200', '202'].includes(status));
        expect(named.filter((name) => !Object.hasOwn(headers, name))).toEqual([]);
      }
    }
});

test('no two operations share an id', () => {
  const ids = Object.values(paths).flatMap((path) => Object.values(path).map(({ operationId }) => operationId));
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.length).toBe(routes.length + 9);
});
