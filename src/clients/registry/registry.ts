import { fault } from '../../core/errors.ts';
import type { Registry } from '../../core/registry.ts';
import { blobOf, sendBlob } from './blobs.ts';
import { type Caller, createCaller, located, patiently, type RegistryOptions, refusal } from './caller.ts';
import { copyImage } from './copy.ts';
import { createReads, sha256, wholeOf } from './reads.ts';

function createPut(call: Caller): Registry['putManifest'] {
  return (repository, { mediaType, bytes }, tag, signal) => {
    const image = located(repository);
    const digest = sha256(bytes);
    return patiently(image.registry, signal, async () => {
      const headers = { 'content-type': mediaType };
      const answer = await call.ask(
        image,
        { method: 'PUT', path: `manifests/${tag ?? digest}`, headers, body: bytes },
        signal,
      );
      if (answer.statusCode !== 201) throw await refusal(image.registry, answer);
      await answer.body.dump();
      const told = answer.headers['docker-content-digest'];
      return typeof told === 'string' ? told : digest;
    });
  };
}

function createRemove(call: Caller): Registry['remove'] {
  return (repository, digest, signal) => {
    const image = located(repository);
    return patiently(image.registry, signal, async () => {
      const answer = await call.ask(image, { method: 'DELETE', path: `manifests/${digest}` }, signal);
      if (answer.statusCode === 404) {
        await answer.body.dump();
        return false;
      }
      if (answer.statusCode === 405)
        throw fault('REGISTRY_REFUSED', { registry: image.registry, problem: 'it lets nobody delete anything' });
      if (answer.statusCode !== 202) throw await refusal(image.registry, answer);
      await answer.body.dump();
      return true;
    });
  };
}

/** Reads and changes OCI registries: https://github.com/opencontainers/distribution-spec */
export function createRegistry(options: RegistryOptions = {}): Registry {
  const call = createCaller(options);
  const reads = createReads(call);
  const putManifest = createPut(call);
  return {
    ...reads,
    putManifest,
    blob: (repository, digest, signal) => {
      const image = located(repository);
      return wholeOf(image.registry, blobOf(call, image, digest, signal));
    },
    readBlob: async (repository, digest, signal) => blobOf(call, located(repository), digest, signal),
    writeBlob: (repository, content, limitBytes, signal) =>
      sendBlob(call, located(repository), { content: () => content, limitBytes }, signal),
    copy: (from, digest, to, seen, signal) =>
      copyImage(call, { ...reads, putManifest }, { from, digest, to }, seen, signal),
    remove: createRemove(call),
  };
}
