import { z } from 'zod';
import type { Pushed } from './push.ts';

const word = z.string().max(2_000);
const Digest = z.string().regex(/^sha256:[a-f0-9]{64}$/);
const Tag = z.string().regex(/^\w[\w.-]{0,127}$/);

/** A moment as JSON writes it; undefined where it is none. */
const timeOf = (text: string | undefined): number | undefined => (text === undefined ? undefined : Date.parse(text));

/**
 * What the CNCF registry (distribution) notifies of: https://distribution.github.io/distribution/about/notifications/
 * What it has besides is passed over, and so are events of other kinds.
 */
const DistributionEvents = z.object({
  events: z
    .array(
      z.object({
        id: word,
        action: word,
        timestamp: word.optional(),
        target: z.object({ repository: word.optional(), tag: word.optional(), digest: word.optional() }),
      }),
    )
    .max(500),
});

/** Layers are pushed as well, and manifests without a tag: they are parts of something. */
export function pushesOfDistribution(body: unknown): Pushed[] {
  return DistributionEvents.parse(body).events.flatMap(({ id, action, target, timestamp }) => {
    const [tag, digest] = [Tag.safeParse(target.tag), Digest.safeParse(target.digest)];
    if (action !== 'push' || !tag.success || !digest.success) return [];
    // By the path alone: a registry does not know its own name. The app's registry is asked whether it has this very image.
    const isOf: Pushed['isOf'] = ({ repository }) => repository === target.repository;
    return [
      {
        isOf,
        paths: target.repository === undefined ? [] : [target.repository],
        tag: tag.data,
        digest: digest.data,
        delivery: id,
        at: timeOf(timestamp),
      },
    ];
  });
}

const Package = z.object({
  name: word,
  namespace: word,
  ecosystem: word.optional(),
  package_type: word.optional(),
  package_version: z
    .object({
      id: z.number(),
      updated_at: word.optional(),
      package_url: word.nullish(),
      container_metadata: z
        .object({ tag: z.object({ name: word.nullish(), digest: word.nullish() }).nullish() })
        .nullish(),
    })
    .nullish(),
});

/** `package` and `registry_package` say the same in the same form: https://docs.github.com/en/webhooks/webhook-events-and-payloads#registry_package */
const GithubEvent = z.object({ action: word, package: Package.optional(), registry_package: Package.optional() });

export function pushesOfGithub(body: unknown): Pushed[] {
  const { action, ...either } = GithubEvent.parse(body);
  const found = either.registry_package ?? either.package;
  const version = found?.package_version;
  const [tag, digest] = [version?.container_metadata?.tag?.name, version?.container_metadata?.tag?.digest];
  const isImage = /^(container|docker)$/i.test(found?.ecosystem ?? found?.package_type ?? '');
  if (!found || !version || !isImage || !['published', 'updated'].includes(action)) return [];
  if (!Tag.safeParse(tag).success || !Digest.safeParse(digest).success) return [];
  const name = `${found.namespace}/${found.name}`.toLowerCase();
  // Of a GitHub of one's own it is containers.HOST.
  const host = /^[\w.:-]+(?=\/)/.exec(version.package_url ?? '')?.[0] ?? 'ghcr.io';
  const isOf: Pushed['isOf'] = ({ registry, repository }) => registry === host && repository === name;
  // Both events may be sent for one push.
  const delivery = `${version.id} ${version.updated_at ?? ''}`;
  return [{ isOf, paths: [name], tag: tag ?? '', digest: digest ?? '', delivery, at: timeOf(version.updated_at) }];
}

/** https://docs.docker.com/docker-hub/repos/manage/webhooks/ */
const HubPush = z.object({
  push_data: z.object({ tag: word, pushed_at: z.number() }),
  repository: z.object({ repo_name: word }),
});

/** Docker Hub names no digest. */
export function pushesOfDockerHub(body: unknown): Pushed[] {
  const { push_data: push, repository: pushed } = HubPush.parse(body);
  if (!Tag.safeParse(push.tag).success) return [];
  const hosts = [undefined, 'docker.io', 'index.docker.io', 'registry-1.docker.io'];
  const isOf: Pushed['isOf'] = ({ registry, repository }) =>
    hosts.includes(registry) && [repository, `library/${repository}`].includes(pushed.repo_name);
  const at = push.pushed_at * 1_000;
  const paths = [pushed.repo_name, pushed.repo_name.replace(/^library\//, '')];
  return [{ isOf, paths, tag: push.tag, at, delivery: `${pushed.repo_name}:${push.tag} ${push.pushed_at}` }];
}
